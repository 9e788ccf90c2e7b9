#include "multiproc/shared_segment.hpp"

#include <new>

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
    boost::interprocess::mapped_region region;
    std::size_t world_size = 0;
    std::size_t gradient_floats = 0;
    ControlBlock* control = nullptr;
    RankPosition* positions = nullptr;
    RankCounters* counters = nullptr;
    RingChannel* channels = nullptr;
    std::byte* gradients = nullptr;

    [[nodiscard]] std::size_t gradient_bytes() const {
        return core::round_up(gradient_floats * sizeof(float), kPageBytes);
    }
};

SharedSegment::SharedSegment(std::size_t world_size, std::size_t gradient_floats,
                             std::uint32_t first_count)
    : mapping_(std::make_unique<Mapping>()) {
    mapping_->world_size = world_size;
    mapping_->gradient_floats = gradient_floats;
    const std::size_t control_bytes = core::round_up(
        sizeof(ControlBlock) +
            world_size * (sizeof(RankPosition) + sizeof(RankCounters) + sizeof(RingChannel)),
        kPageBytes);
    const std::size_t size_bytes = control_bytes + world_size * mapping_->gradient_bytes();
    try {
        mapping_->region = boost::interprocess::anonymous_shared_memory(size_bytes);
    } catch (const boost::interprocess::interprocess_exception& error) {
        throw core::Error(
            core::ExitCode::kResources,
            "cannot map {} MiB of shared memory for {} workers ({}): use a smaller -n",
            size_bytes >> 20, world_size, error.what());
    }
    auto* at = static_cast<std::byte*>(mapping_->region.get_address());
    mapping_->gradients = at + control_bytes;
    mapping_->control = new (at) ControlBlock;
    at += sizeof(ControlBlock);
    mapping_->positions = new (at) RankPosition[world_size];
    at += world_size * sizeof(RankPosition);
    mapping_->counters = new (at) RankCounters[world_size];
    at += world_size * sizeof(RankCounters);
    // Default-initialised: the slots stay untouched, their pages the first writer's.
    mapping_->channels = new (at) RingChannel[world_size];
    for (std::size_t rank = 0; rank < world_size; ++rank) {
        counters(rank).handed.publish(first_count);
        counters(rank).done.publish(first_count);
        channel_from(rank).start_at(first_count);
    }
}

SharedSegment::~SharedSegment() = default;

std::size_t SharedSegment::world_size() const { return mapping_->world_size; }
std::atomic<std::uint32_t>& SharedSegment::failed() const { return mapping_->control->failed; }
RankPosition& SharedSegment::position(std::size_t rank) const { return mapping_->positions[rank]; }
RankCounters& SharedSegment::counters(std::size_t rank) const { return mapping_->counters[rank]; }
RingChannel& SharedSegment::channel_from(std::size_t rank) const {
    return mapping_->channels[rank];
}
std::span<float> SharedSegment::gradients(std::size_t rank) const {
    return {reinterpret_cast<float*>(mapping_->gradients + rank * mapping_->gradient_bytes()),
            mapping_->gradient_floats};
}

}  // namespace dp::multiproc
