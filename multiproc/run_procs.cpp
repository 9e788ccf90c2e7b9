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
    const auto exchange = reduction.make(
        {segment, rank, std::move(replica.buckets), size, job.config.timeout_seconds});
    const core::WorkerBlocks blocks{replica.parameters.span(),
                                    replica.optimizer_state.span(),
                                    {{rank, exchange->gradients(), statistics.span()}},
                                    job.config.workers};
    core::WorkerOutcome outcome = core::run_worker(job, replica.layout, blocks, *exchange);
    outcome.result.workers.push_back(std::move(outcome.report));
    return std::move(outcome.result);
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
        return nlohmann::ordered_json(run_rank(job, segment, rank)).dump();
    };
    callbacks.on_failure = [&] { segment.failed().store(1, std::memory_order_release); };
    callbacks.describe = [&](std::size_t rank) { return describe(segment, rank); };
    callbacks.find_stalled = [&](std::size_t rank) { return find_stalled(segment, rank); };

    core::RunResult result;
    for (const std::string& report : run_process_group(job.config.workers, callbacks)) {
        auto rank = nlohmann::ordered_json::parse(report).get<core::RunResult>();
        if (result.workers.empty()) {
            result = std::move(rank);
        } else {
            result.workers.push_back(std::move(rank.workers.front()));
        }
    }
    core::attribute_lateness(result);
    return result;
}

}  // namespace dp::multiproc
