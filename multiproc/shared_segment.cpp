#include "multiproc/shared_segment.hpp"

#include <algorithm>
#include <new>
#include <vector>

#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/exceptions.hpp>

#include "core/base/error.hpp"

namespace dp::multiproc {
namespace {

constexpr std::size_t kPageBytes = 4096;

struct alignas(core::kAlignmentBytes) ControlBlock {
    std::atomic<std::uint32_t> failed{0};
};

// What lies in shared memory is free of pointers and locks, so that any process may die at any
// point.
static_assert(std::is_trivially_destructible_v<ControlBlock>);
static_assert(std::is_trivially_destructible_v<RankPosition>);
static_assert(std::is_trivially_destructible_v<RankCounters>);
static_assert(std::is_trivially_destructible_v<RingChannel>);

}  // namespace

void RankPosition::store(const core::WorkerPosition& position) {
    epoch.store(static_cast<std::uint32_t>(position.epoch), std::memory_order_relaxed);
    step.store(static_cast<std::uint32_t>(position.step), std::memory_order_relaxed);
    phase.store(static_cast<std::uint32_t>(position.phase), std::memory_order_relaxed);
    started.store(1, std::memory_order_relaxed);
}

core::WorkerPosition RankPosition::load(std::size_t rank) const {
    return {rank, epoch.load(std::memory_order_relaxed), step.load(std::memory_order_relaxed),
            static_cast<core::Phase>(phase.load(std::memory_order_relaxed))};
}

struct SharedSegment::Mapping {
    SegmentPlan plan;
    std::vector<std::vector<std::size_t>> receivers;  // by sender, ascending
    boost::interprocess::mapped_region region;
    ControlBlock* control = nullptr;
    RankPosition* positions = nullptr;
    RankCounters* counters = nullptr;
    std::vector<std::byte*> channels;  // of each sender, the first of its channels
    std::byte* gradients = nullptr;

    explicit Mapping(const SegmentPlan& from) : plan(from) {
        for (std::size_t rank = 0; rank < plan.world_size; ++rank) {
            receivers.push_back(core::all_receivers(plan.receivers, rank, plan.world_size));
        }
    }

    [[nodiscard]] std::size_t channel_bytes() const { return RingChannel::bytes_of(plan.shape); }
    [[nodiscard]] std::size_t gradient_bytes() const {
        return core::round_up(plan.gradient_floats * sizeof(float), kPageBytes);
    }
};

SharedSegment::SharedSegment(const SegmentPlan& plan) : mapping_(std::make_unique<Mapping>(plan)) {
    const std::size_t world_size = plan.world_size;
    std::size_t channels = 0;
    for (const auto& receivers : mapping_->receivers) channels += receivers.size();
    const std::size_t gradients_at = core::round_up(
        sizeof(ControlBlock) + world_size * (sizeof(RankPosition) + sizeof(RankCounters)) +
            channels * mapping_->channel_bytes(),
        kPageBytes);
    const std::size_t size_bytes = gradients_at + world_size * mapping_->gradient_bytes();
    try {
        mapping_->region = boost::interprocess::anonymous_shared_memory(size_bytes);
    } catch (const boost::interprocess::interprocess_exception& error) {
        throw core::Error(
            core::ExitCode::kResources,
            "cannot map {} MiB of shared memory for {} workers ({}): use a smaller -n",
            size_bytes >> 20, world_size, error.what());
    }
    auto* at = static_cast<std::byte*>(mapping_->region.get_address());
    mapping_->gradients = at + gradients_at;
    mapping_->control = new (at) ControlBlock;
    at += sizeof(ControlBlock);
    mapping_->positions = new (at) RankPosition[world_size];
    at += world_size * sizeof(RankPosition);
    mapping_->counters = new (at) RankCounters[world_size];
    at += world_size * sizeof(RankCounters);
    for (std::size_t rank = 0; rank < world_size; ++rank) {
        counters(rank).handed.publish(plan.first_count);
        counters(rank).done.publish(plan.first_count);
        mapping_->channels.push_back(at);
        for (std::size_t i = 0; i < mapping_->receivers[rank].size(); ++i) {
            new (at) RingChannel(plan.shape, plan.first_count);
            at += mapping_->channel_bytes();
        }
    }
}

SharedSegment::~SharedSegment() = default;

std::size_t SharedSegment::world_size() const { return mapping_->plan.world_size; }
std::atomic<std::uint32_t>& SharedSegment::failed() const { return mapping_->control->failed; }
RankPosition& SharedSegment::position(std::size_t rank) const { return mapping_->positions[rank]; }
RankCounters& SharedSegment::counters(std::size_t rank) const { return mapping_->counters[rank]; }

RingChannel* SharedSegment::channel(std::size_t from, std::size_t to) const {
    const std::vector<std::size_t>& receivers = mapping_->receivers[from];
    const auto found = std::ranges::lower_bound(receivers, to);
    if (found == receivers.end() || *found != to) return nullptr;
    const auto index = static_cast<std::size_t>(found - receivers.begin());
    return std::launder(reinterpret_cast<RingChannel*>(mapping_->channels[from] +
                                                       index * mapping_->channel_bytes()));
}

const ChannelShape& SharedSegment::channel_shape() const { return mapping_->plan.shape; }

std::span<float> SharedSegment::gradients(std::size_t rank) const {
    return {reinterpret_cast<float*>(mapping_->gradients + rank * mapping_->gradient_bytes()),
            mapping_->plan.gradient_floats};
}

}  // namespace dp::multiproc
