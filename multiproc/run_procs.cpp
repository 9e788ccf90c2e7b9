#include "multiproc/run_procs.hpp"

#include <nlohmann/json.hpp>

#include "core/train/bind_ranks.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/replica_rank.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {
namespace {

core::RunResult run_rank(const core::Job& job, SharedSegment& segment, std::size_t rank) {
    core::bind_ranks(job, rank);
    const Reduction& reduction = core::find_reduction(reductions(), job.config.reduction);
    std::unique_ptr<core::ChannelExchange> exchange;
    return train_replica(
        job, rank,
        segment.position(rank), [&](std::vector<core::Range> buckets, std::size_t size) -> auto& {
            exchange =
                reduction.make({segment, rank, std::move(buckets), size, job.config.timeout_seconds,
                                job.config.update, job.config.wait});
            return *exchange;
        });
}

std::size_t find_stalled(const SharedSegment& segment, std::size_t reporter) {
    const auto standing = [&](std::size_t rank) {
        return standing_of(segment.position(rank), rank == reporter);
    };
    std::size_t last = 0;
    for (std::size_t rank = 1; rank < segment.world_size(); ++rank) {
        if (standing(rank) < standing(last)) last = rank;
    }
    return last;
}

/// Room for the gradients of `model` in any layout. Only oneDNN knows how far it pads, and it must
/// not be asked before the fork; room that nobody touches takes no memory.
std::size_t most_gradients(const core::ModelSpec& model) {
    constexpr std::size_t kSmallTensors = 64 * 1024;  // a first layer's few channels become 16
    return 2 * model.parameters + kSmallTensors;
}

}  // namespace

core::RunResult run_procs(const core::Job& job) {
    // An unknown one is refused here and not by each rank.
    const Reduction& reduction = core::find_reduction(reductions(), job.config.reduction);
    SharedSegment segment(reduction.plan(job.config.workers, most_gradients(*job.model)));
    GroupCallbacks callbacks;
    callbacks.work = [&](std::size_t rank) {
        const core::RunResult result = run_rank(job, segment, rank);
        return rank == 0 ? nlohmann::ordered_json(result).dump() : std::string();
    };
    callbacks.on_failure = [&] { segment.failed().store(1, std::memory_order_release); };
    callbacks.describe = [&](std::size_t rank) { return describe(segment.position(rank)); };
    callbacks.find_stalled = [&](std::size_t rank) { return find_stalled(segment, rank); };

    const std::vector<std::string> reports = run_process_group(job.config.workers, callbacks);
    return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
}

}  // namespace dp::multiproc
