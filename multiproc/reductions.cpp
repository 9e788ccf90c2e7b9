#include "multiproc/reductions.hpp"

#include <utility>
#include <vector>

#include "multiproc/shared_direct_exchange.hpp"
#include "multiproc/shared_ring_exchange.hpp"

namespace dp::multiproc {
namespace {

template <typename Made>
Reduction in_segment() {
    return {Made::kTraits, nullptr,
            [](ExchangeSetup setup) -> std::unique_ptr<core::ChannelExchange> {
                return std::make_unique<Made>(std::move(setup));
            }};
}

std::vector<Reduction> all_reductions() {
    std::vector<Reduction> all;
    for (const core::MessageReduction& row : core::message_reductions()) {
        all.push_back({row.traits, &row});
    }
    all.push_back(in_segment<SharedRingExchange>());
    all.push_back(in_segment<SharedDirectExchange>());
    return all;
}

}  // namespace

std::unique_ptr<core::ChannelExchange> Reduction::make(ExchangeSetup setup) const {
    if (messages != nullptr) return messages->make(to_channel_setup(std::move(setup)));
    return make_in_segment(std::move(setup));
}

SegmentPlan Reduction::plan(std::size_t world_size, std::size_t floats) const {
    if (messages == nullptr) return {.world_size = world_size, .gradient_floats = floats};
    return {.world_size = world_size, .receivers = messages->receivers};
}

std::span<const Reduction> reductions() {
    static const std::vector<Reduction> kAll = all_reductions();
    return kAll;
}

}  // namespace dp::multiproc
