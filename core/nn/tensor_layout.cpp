#include "core/nn/tensor_layout.hpp"

#include <algorithm>

#include "core/base/check.hpp"
#include "core/base/memory_block.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;

Desc plain(const Desc& desc) {
    using Tag = memory::format_tag;
    constexpr Tag kTags[] = {Tag::a, Tag::ab, Tag::abc, Tag::abcd};
    const auto dims = onednn::dims_of(desc);
    return {dims, memory::data_type::f32, kTags[dims.size() - 1]};
}

void reorder(const Desc& from_desc, const float* from, const Desc& to_desc, float* to) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    // oneDNN takes addresses it will only read as void*.
    memory source(from_desc, engine, const_cast<float*>(from));
    memory destination(to_desc, engine, to);
    dnnl::reorder(source, destination).execute(stream, source, destination);
    stream.wait();
}

}  // namespace

struct TensorLayout::Descriptors {
    std::vector<Desc> of;  // by tensor
};

TensorLayout::TensorLayout() = default;
TensorLayout::TensorLayout(TensorLayout&&) noexcept = default;
TensorLayout& TensorLayout::operator=(TensorLayout&&) noexcept = default;
TensorLayout::~TensorLayout() = default;

std::size_t TensorLayout::elements() const {
    std::size_t sum = 0;
    for (const TensorRange& tensor : tensors_) sum += tensor.elements;
    return sum;
}

std::size_t TensorLayout::find(std::string_view name) const {
    const auto found = std::ranges::find(tensors_, name, &TensorRange::name);
    DP_CHECK(found - tensors_.begin(), <, std::ssize(tensors_));
    return static_cast<std::size_t>(found - tensors_.begin());
}

NamedTensor TensorLayout::to_plain(std::span<const float> block, std::size_t index) const {
    const TensorRange& tensor = tensors_[index];
    DP_CHECK(block.size(), ==, size_);
    NamedTensor out{tensor.name, tensor.shape, std::vector<float>(tensor.elements)};
    const Desc& desc = descriptors_->of[index];
    reorder(desc, block.data() + tensor.offset, plain(desc), out.values.data());
    return out;
}

void TensorLayout::from_plain(std::span<const float> values, std::size_t index,
                              std::span<float> block) const {
    const TensorRange& tensor = tensors_[index];
    DP_CHECK(block.size(), ==, size_);
    DP_CHECK(values.size(), ==, tensor.elements);
    const auto range = block.subspan(tensor.offset, tensor.size);
    std::ranges::fill(range, 0.F);
    const Desc& desc = descriptors_->of[index];
    reorder(plain(desc), values.data(), desc, range.data());
}

TensorLayout LayoutAccess::make(const std::vector<TensorSlot>& slots) {
    TensorLayout layout;
    layout.descriptors_ = std::make_unique<TensorLayout::Descriptors>();
    for (const TensorSlot& slot : slots) {
        TensorRange tensor;
        tensor.name = slot.name;
        tensor.shape = slot.shape;
        tensor.fan_in = slot.fan_in;
        tensor.offset = layout.size_;
        tensor.size = round_up(slot.desc.get_size() / sizeof(float), kAlignmentFloats);
        tensor.elements = 1;
        for (const std::int64_t extent : slot.shape) {
            tensor.elements *= static_cast<std::size_t>(extent);
        }
        layout.size_ += tensor.size;
        layout.tensors_.push_back(std::move(tensor));
        layout.descriptors_->of.push_back(slot.desc);
    }
    return layout;
}

const Desc& LayoutAccess::desc(const TensorLayout& layout, std::size_t index) {
    return layout.descriptors_->of[index];
}

NetworkLayout plan_layout(const ModelSpec& model, std::size_t batch_size,
                          const NetworkOptions& options) {
    LayerContext context{dnnl::engine(dnnl::engine::kind::cpu, 0), batch_size,
                         /*training=*/false, options};
    context.options.precision = Precision::kFloat32;  // that of the block, whatever the layers'
    std::vector<TensorSlot> parameters;
    std::vector<TensorSlot> statistics;
    for (const auto& layer : make_layers(model, context, nullptr)) {
        for (TensorSlot& slot : layer->parameters()) parameters.push_back(std::move(slot));
        for (TensorSlot& slot : layer->statistics()) statistics.push_back(std::move(slot));
    }
    return {LayoutAccess::make(parameters), LayoutAccess::make(statistics), options};
}

}  // namespace dp::core
