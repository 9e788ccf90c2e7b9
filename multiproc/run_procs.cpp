#include "multiproc/run_procs.hpp"

#include <nlohmann/json.hpp>

#include "core/train/model_state.hpp"
#include "core/train/replica.hpp"
#include "core/train/worker.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {
namespace {

/// Notes where its rank is, for the supervisor.
class PositionListener final : public core::ListenerInFront {
public:
    PositionListener(core::RunListener& next, RankPosition& position)
        : ListenerInFront(next), position_(position) {}

    void on_phase(const core::WorkerPosition& position) override {
        position_.store(position);
        ListenerInFront::on_phase(position);
    }

private:
    RankPosition& position_;
};

/// One rank's whole life: its own layout, parameters, optimizer state, gradients and statistics.
core::RunResult run_rank(const core::Job& shared_job, SharedSegment& segment, std::size_t rank) {
    PositionListener listener(*shared_job.listener, segment.position(rank));
    core::Job job = shared_job;
    job.listener = &listener;

    core::Replica replica(job);
    const core::FloatBlock statistics(replica.layout.statistics.size());
    core::fill_statistics(job, replica.layout, statistics.span());
    const std::size_t size = replica.parameters.span().size();
    const Reduction& reduction = core::find_reduction(reductions(), job.config.reduction);
    const auto exchange = reduction.make({segment, rank, std::move(replica.buckets), size,
                                          job.config.timeout_seconds, job.config.update});
    const core::FloatBlock state = core::make_optimizer_state(job, exchange->update_ranges());
    const core::WorkerBlocks blocks{replica.parameters.span(),
                                    state.span(),
                                    {{rank, exchange->gradients(), statistics.span()}},
                                    job.config.workers};
    return core::run_worker(job, replica.layout, blocks, *exchange);
}

std::string describe(const SharedSegment& segment, std::size_t rank) {
    if (segment.position(rank).started.load(std::memory_order_relaxed) == 0) return "at start-up";
    const core::WorkerPosition at = segment.position(rank).load(rank);
    if (at.phase == core::Phase::kEvaluate) {
        return fmt::format("in phase evaluate of epoch {}", at.epoch + 1);
    }
    return fmt::format("in phase {} of epoch {}, step {}", core::name_of(at.phase), at.epoch + 1,
                       at.step + 1);
}

/// The rank that does not wait itself; of several, the one that is furthest behind: the others wait
/// for it, directly or through a neighbour.
std::size_t find_stalled(const SharedSegment& segment, std::size_t reporter) {
    const auto progress = [&](std::size_t rank) {
        const RankPosition& position = segment.position(rank);
        const core::WorkerPosition at = position.load(rank);
        return std::tuple(position.waiting.load(std::memory_order_relaxed),
                          position.started.load(std::memory_order_relaxed), at.epoch, at.step,
                          at.phase, rank == reporter);
    };
    std::size_t last = 0;
    for (std::size_t rank = 1; rank < segment.world_size(); ++rank) {
        if (progress(rank) < progress(last)) last = rank;
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
    callbacks.describe = [&](std::size_t rank) { return describe(segment, rank); };
    callbacks.find_stalled = [&](std::size_t rank) { return find_stalled(segment, rank); };

    const std::vector<std::string> reports = run_process_group(job.config.workers, callbacks);
    return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
}

}  // namespace dp::multiproc
