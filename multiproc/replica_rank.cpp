#include "multiproc/replica_rank.hpp"

#include <utility>

#include "core/train/replica.hpp"
#include "core/train/worker.hpp"

namespace dp::multiproc {
core::RunResult train_replica(const core::Job& shared_job, std::size_t rank, RankPosition& position,
                              const MakeExchange& make) {
    PositionListener listener(*shared_job.listener, position);
    core::Job job = shared_job;
    job.listener = &listener;

    core::Replica replica(job);
    core::ChannelExchange& exchange =
        make(std::move(replica.buckets), replica.parameters.span().size());
    const std::size_t turns = job.config.ranks_per_worker();
    core::PlayedRanks played(replica.layout, rank * turns, turns, exchange.gradients());
    played.fill(job, replica.layout);
    const core::FloatBlock state = core::make_optimizer_state(job, exchange.update_ranges());
    const core::WorkerBlocks blocks{replica.parameters.span(), state.span(), played.blocks(),
                                    job.config.world_size()};
    return core::run_worker(job, replica.layout, blocks, exchange);
}

Standing standing_of(const RankPosition& position, bool reports) {
    const core::WorkerPosition at = position.load(0);
    return {position.waiting.load(std::memory_order_relaxed),
            position.started.load(std::memory_order_relaxed),
            at.epoch,
            at.step,
            at.phase,
            reports};
}

std::string describe(const RankPosition& position) {
    if (position.started.load(std::memory_order_relaxed) == 0) return "at start-up";
    const core::WorkerPosition at = position.load(0);
    if (at.phase == core::Phase::kEvaluate) {
        return fmt::format("in phase evaluate of epoch {}", at.epoch + 1);
    }
    return fmt::format("in phase {} of epoch {}, step {}", core::name_of(at.phase), at.epoch + 1,
                       at.step + 1);
}

}  // namespace dp::multiproc
