#include "core/nn/network.hpp"

#include <algorithm>
#include <array>

#include "core/base/check.hpp"
#include "core/base/memory_block.hpp"
#include "core/nn/layer.hpp"
#include "core/nn/loss.hpp"

namespace dp::core {
namespace {

using dnnl::memory;

/// How many tensors of each block a layer has.
struct SlotCounts {
    std::size_t parameters = 0;
    std::size_t statistics = 0;
};

/// Primitives for one batch size, and where its tensors lie in the arena.
///
/// Tensor i is the source of layer i; the last is the logits. One that backward reads keeps a place
/// of its own; the others alternate between two transient places, since a layer needs its source
/// and its destination at once and nothing else. A gradient lies over its tensor where the layer
/// allows it and nobody reads that tensor any more; the others alternate between the transient
/// places too, since the tensors there are dead by then.
struct Plan {
    std::size_t batch_size = 0;
    bool training = false;
    std::vector<std::unique_ptr<Layer>> layers;
    std::vector<SlotCounts> slots;          // by layer
    std::vector<std::size_t> kept_offset;   // by tensor; kTransient when it has no place of its own
    std::vector<bool> gradient_in_place;    // by tensor
    std::vector<std::size_t> state_offset;  // by layer
    std::size_t kept_bytes = 0;
    std::array<std::size_t, 2> transient_bytes{};
    std::size_t scratchpad_bytes = 0;
    memory logits;
    float* diff_logits = nullptr;
    std::size_t diff_logits_offset = 0;
    // In bfloat16 the batch comes, and the loss leaves its gradient, in float32 all the same: these
    // turn them into the first tensor and the last one's gradient.
    BoundPrimitive convert_input, convert_diff_logits;
};

constexpr std::size_t kTransient = static_cast<std::size_t>(-1);

std::size_t place_bytes(const onednn::Desc& desc) {
    return round_up(desc.get_size(), kAlignmentBytes);
}

/// A tensor's layout in float32.
onednn::Desc as_float(const onednn::Desc& plain, memory::format_tag tag) {
    return {onednn::dims_of(plain), memory::data_type::f32, tag};
}

onednn::Desc input_desc(const Plan& plan) {
    return as_float(plan.layers.front()->src_desc(), memory::format_tag::nchw);
}

onednn::Desc diff_logits_desc(const Plan& plan) {
    return as_float(plan.layers.back()->dst_desc(), memory::format_tag::nc);
}

bool converts(const Plan& plan) { return input_desc(plan) != plan.layers.front()->src_desc(); }

onednn::Desc tensor_desc(const Plan& plan, std::size_t tensor) {
    return tensor < plan.layers.size() ? plan.layers[tensor]->src_desc()
                                       : plan.layers.back()->dst_desc();
}

Plan make_plan(const ModelSpec& model, const NetworkLayout& layout, const dnnl::engine& engine,
               std::size_t batch_size, bool training) {
    Plan plan;
    plan.batch_size = batch_size;
    plan.training = training;
    plan.layers =
        make_layers(model, {engine, batch_size, training, layout.options}, &layout.parameters);
    const std::size_t last = plan.layers.size();
    if (converts(plan)) plan.kept_bytes = place_bytes(input_desc(plan));
    for (std::size_t i = 0; i <= last; ++i) {
        const std::size_t bytes = place_bytes(tensor_desc(plan, i));
        const bool read_again = training && ((i > 0 && plan.layers[i - 1]->keeps_dst()) ||
                                             (i < last && plan.layers[i]->keeps_src()));
        // The input is filled from outside and the logits are read from there.
        if (i == 0 || i == last || read_again) {
            plan.kept_offset.push_back(plan.kept_bytes);
            plan.kept_bytes += bytes;
        } else {
            plan.kept_offset.push_back(kTransient);
        }
        const bool kept = plan.kept_offset.back() != kTransient;
        plan.gradient_in_place.push_back(kept && i > 0 && i < last &&
                                         plan.layers[i]->overwrites_src() &&
                                         !plan.layers[i - 1]->keeps_dst());
        // Every tensor has a gradient, except the input.
        const bool gradient = training && i > 0 && !plan.gradient_in_place.back();
        if (gradient || !kept) {
            plan.transient_bytes[i % 2] = std::max(plan.transient_bytes[i % 2], bytes);
        }
    }
    plan.diff_logits_offset = plan.kept_bytes;
    if (training && converts(plan)) plan.kept_bytes += place_bytes(diff_logits_desc(plan));
    for (const auto& layer : plan.layers) {
        plan.slots.push_back({layer->parameters().size(), layer->statistics().size()});
        plan.state_offset.push_back(plan.kept_bytes);
        plan.kept_bytes += round_up(layer->state_bytes(), kAlignmentBytes);
        plan.scratchpad_bytes = std::max(plan.scratchpad_bytes, layer->scratchpad_bytes());
    }
    return plan;
}

}  // namespace

class Network::Impl {
public:
    Impl(const ModelSpec& model, const NetworkLayout& layout, std::span<const std::size_t> training,
         std::span<const std::size_t> evaluation)
        : layout_(layout), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
        for (const std::size_t size : training) add_plan(model, size, true);
        for (const std::size_t size : evaluation) add_plan(model, size, false);
        std::size_t largest = 0;
        std::size_t activations = 0;
        std::size_t scratchpad = 0;
        for (const Plan& plan : plans_) {
            largest = std::max(largest, plan.batch_size);
            activations = std::max(
                activations, plan.kept_bytes + plan.transient_bytes[0] + plan.transient_bytes[1]);
            scratchpad = std::max(scratchpad, plan.scratchpad_bytes);
        }
        input_size_ = largest * model.input.size();
        // One plan's tensors are dead before another's are written, so all share the same bytes.
        arena_ = MemoryBlock(activations + round_up(scratchpad, kAlignmentBytes));
        scratchpad_ = arena_.data() + activations;
        for (Plan& plan : plans_) bind_memory(plan);
    }

    void bind(const NetworkBlocks& blocks) {
        DP_CHECK(blocks.parameters.size(), ==, layout_.parameters.size());
        DP_CHECK(blocks.statistics.size(), ==, layout_.statistics.size());
        const bool gradients = !blocks.gradients.empty();
        if (gradients) DP_CHECK(blocks.gradients.size(), ==, layout_.parameters.size());

        set_addresses(layout_.parameters, blocks.parameters, parameters_);
        set_addresses(layout_.parameters, blocks.gradients, gradients_);
        set_addresses(layout_.statistics, blocks.statistics, statistics_);
        for (Plan& plan : plans_) {
            std::size_t parameter = 0;
            std::size_t statistic = 0;
            for (std::size_t i = 0; i < plan.layers.size(); ++i) {
                const auto [parameters, statistics] = plan.slots[i];
                plan.layers[i]->bind_blocks(
                    {std::span(parameters_).subspan(parameter, parameters),
                     gradients ? std::span(gradients_).subspan(parameter, parameters)
                               : std::span<float*>(),
                     std::span(statistics_).subspan(statistic, statistics)});
                parameter += parameters;
                statistic += statistics;
            }
        }
    }

    std::span<float> input() const {
        return {reinterpret_cast<float*>(arena_.data()), input_size_};
    }

    BatchResult forward(const Batch& batch, const DropoutKey& dropout, LayerObserver* observer) {
        current_ = &find(batch.size, true);
        run(StepContext{stream_, true, dropout, batch.samples.first(batch.size)}, observer);
        BatchResult result;
        observe(observer, "loss", [&] {
            result = softmax_cross_entropy(logits(), batch.labels.first(batch.size), diff_logits());
        });
        return result;
    }

    void backward(GradientsReady* ready, LayerObserver* observer) {
        const StepContext step{stream_, true, {}, {}};
        const auto tensors = layout_.parameters.tensors();
        std::size_t tensor = tensors.size();
        std::size_t offset = layout_.parameters.size();
        current_->convert_diff_logits.execute(stream_);
        for (std::size_t i = current_->layers.size(); i-- > 0;) {
            observe(observer, current_->layers[i]->name(),
                    [&] { current_->layers[i]->backward(step); });
            if (ready == nullptr) continue;
            stream_.wait();
            tensor -= current_->slots[i].parameters;
            if (current_->slots[i].parameters != 0) offset = tensors[tensor].offset;
            ready->on_gradients(offset);
        }
        stream_.wait();
    }

    BatchResult evaluate(const Batch& batch) {
        current_ = &find(batch.size, false);
        run(StepContext{stream_, false, {}, {}}, nullptr);
        return softmax_cross_entropy(logits(), batch.labels.first(batch.size), {});
    }

    std::span<float> logits() const {
        return floats(static_cast<float*>(current_->logits.get_data_handle()));
    }

    std::vector<PrimitiveInfo> primitives() {
        std::vector<PrimitiveInfo> all;
        for (const Plan& plan : plans_) {
            for (const auto& layer : plan.layers) layer->describe(all);
        }
        return all;
    }

    std::size_t activation_bytes() const { return arena_.size_bytes(); }

private:
    /// Addresses of the tensors of `layout` in `block`, unless it is empty. Allocates once.
    static void set_addresses(const TensorLayout& layout, std::span<float> block,
                              std::vector<float*>& addresses) {
        if (block.empty()) return;
        addresses.clear();
        for (const TensorRange& tensor : layout.tensors()) {
            addresses.push_back(block.data() + tensor.offset);
        }
    }

    void add_plan(const ModelSpec& model, std::size_t size, bool training) {
        DP_CHECK(size, >, 0U);
        if (std::ranges::find(plans_, size, &Plan::batch_size) != plans_.end()) return;
        plans_.push_back(make_plan(model, layout_, engine_, size, training));
    }

    void bind_memory(Plan& plan) {
        std::byte* behind = arena_.data() + plan.kept_bytes;
        const std::array transient{behind, behind + plan.transient_bytes[0]};
        const auto place = [&](std::size_t tensor) -> std::byte* {
            const std::size_t offset = plan.kept_offset[tensor];
            return offset == kTransient ? transient[tensor % 2] : arena_.data() + offset;
        };
        const std::size_t last = plan.layers.size();
        memory src(tensor_desc(plan, 0), engine_, place(0));
        memory diff_src;  // the gradient of the input: nobody needs it
        for (std::size_t i = 0; i < last; ++i) {
            const memory dst(tensor_desc(plan, i + 1), engine_, place(i + 1));
            const memory diff_dst(
                plan.layers[i]->diff_dst_desc(), engine_,
                plan.gradient_in_place[i + 1] ? place(i + 1) : transient[(i + 1) % 2]);
            plan.layers[i]->bind(
                {src, dst, diff_src, diff_dst, scratchpad_, arena_.data() + plan.state_offset[i]});
            src = dst;
            diff_src = diff_dst;
        }
        plan.logits = src;
        if (plan.training) {
            plan.diff_logits = static_cast<float*>(diff_src.get_data_handle());
            if (converts(plan)) {
                std::byte* from = arena_.data() + plan.diff_logits_offset;
                plan.diff_logits = reinterpret_cast<float*>(from);
                plan.convert_diff_logits =
                    reorder(memory(diff_logits_desc(plan), engine_, from), diff_src);
            }
        }
        if (converts(plan)) {
            plan.convert_input = reorder(memory(input_desc(plan), engine_, arena_.data()),
                                         memory(tensor_desc(plan, 0), engine_, place(0)));
        }
    }

    Plan& find(std::size_t batch_size, bool training) {
        const auto plan = std::ranges::find(plans_, batch_size, &Plan::batch_size);
        DP_CHECK(plan - plans_.begin(), <, std::ssize(plans_));
        if (training) DP_CHECK(plan->training, ==, true);
        return *plan;
    }

    void run(const StepContext& step, LayerObserver* observer) {
        current_->convert_input.execute(stream_);
        for (const auto& layer : current_->layers) {
            observe(observer, layer->name(), [&] { layer->forward(step); });
        }
        stream_.wait();
    }

    template <typename Work>
    void observe(LayerObserver* observer, std::string_view name, const Work& work) {
        if (observer == nullptr) return work();
        observer->on_layer_begin(name);
        work();
        stream_.wait();
        observer->on_layer_end();
    }

    std::span<float> diff_logits() const { return floats(current_->diff_logits); }

    std::span<float> floats(float* logits) const {
        return {logits, current_->batch_size * kClasses};
    }

    const NetworkLayout& layout_;
    dnnl::engine engine_;
    dnnl::stream stream_;
    std::vector<Plan> plans_;
    MemoryBlock arena_;
    std::size_t input_size_ = 0;
    std::byte* scratchpad_ = nullptr;
    Plan* current_ = nullptr;
    std::vector<float*> parameters_, gradients_, statistics_;  // by tensor, in the bound blocks
};

Network::Network(const ModelSpec& model, const NetworkLayout& layout,
                 std::span<const std::size_t> training_sizes,
                 std::span<const std::size_t> evaluation_sizes)
    : impl_(std::make_unique<Impl>(model, layout, training_sizes, evaluation_sizes)) {}
Network::~Network() = default;

void Network::bind(const NetworkBlocks& blocks) { impl_->bind(blocks); }
std::span<float> Network::input() const { return impl_->input(); }
BatchResult Network::forward(const Batch& batch, const DropoutKey& dropout,
                             LayerObserver* observer) {
    return impl_->forward(batch, dropout, observer);
}
void Network::backward(GradientsReady* ready, LayerObserver* observer) {
    impl_->backward(ready, observer);
}
BatchResult Network::evaluate(const Batch& batch) { return impl_->evaluate(batch); }
std::span<const float> Network::logits() const { return impl_->logits(); }
std::vector<PrimitiveInfo> Network::primitives() { return impl_->primitives(); }
std::size_t Network::activation_bytes() const { return impl_->activation_bytes(); }

}  // namespace dp::core
