#include "core/nn/layer.hpp"

#include "core/base/error.hpp"

namespace dp::core {

BoundPrimitive::BoundPrimitive(const dnnl::primitive_desc_base& desc, dnnl::primitive primitive,
                               std::byte* scratchpad, Arguments arguments)
    : primitive_(std::move(primitive)), memories_(std::move(arguments)) {
    if (const auto wanted = desc.scratchpad_desc(); wanted.get_size() != 0) {
        void* address = scratchpad != nullptr ? scratchpad : DNNL_MEMORY_ALLOCATE;
        memories_.emplace_back(DNNL_ARG_SCRATCHPAD,
                               dnnl::memory(wanted, desc.get_engine(), address));
    }
    arguments_.reserve(memories_.size());
    for (const auto& [argument, memory] : memories_) arguments_.push_back({argument, memory.get()});
}

void BoundPrimitive::execute(const dnnl::stream& stream) const {
    if (arguments_.empty()) return;
    // The C++ interface copies a map into a vector on each call; the C one takes the array as it
    // is.
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(arguments_.size()),
                               arguments_.data()),
        "could not execute a primitive");
}

std::function<void()> BoundPrimitive::alone() const {
    return [this, stream = dnnl::stream(memories_.front().second.get_engine())]() mutable {
        execute(stream);
        stream.wait();
    };
}

BoundPrimitive reorder(const dnnl::memory& from, const dnnl::memory& to) {
    const dnnl::engine engine = from.get_engine();
    const dnnl::reorder::primitive_desc desc(engine, from.get_desc(), engine, to.get_desc(),
                                             onednn::attributes());
    return {desc, dnnl::reorder(desc), nullptr, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

bool is_reference(std::string_view implementation) {
    return implementation.starts_with("ref") ||
           implementation.find(":ref") != std::string_view::npos;
}

void check_found(const dnnl::primitive_desc_base& desc, const std::string& layer) {
    if (desc) return;
    throw Error(ExitCode::kRunFailed,
                "oneDNN has no implementation for layer {}: try another oneDNN or CPU", layer);
}

}  // namespace dp::core
