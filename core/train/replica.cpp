#include "core/train/replica.hpp"

#include <omp.h>

#include "core/exchange/buckets.hpp"
#include "core/nn/network.hpp"
#include "core/train/model_state.hpp"

namespace dp::core {
namespace {

NetworkLayout plan(const Job& job, std::size_t threads) {
    omp_set_num_threads(static_cast<int>(threads));
    return plan_layout(*job.model, job.config.batch_size, job.config.network);
}

}  // namespace

Replica::Replica(const Job& job, std::size_t threads)
    : layout(plan(job, threads)),
      parameters(layout.parameters.size()),
      buckets(make_buckets(layout.parameters, job.config.bucket_kib * 1024)) {
    fill_parameters(job, layout, parameters.span());
}

PlayedRanks::PlayedRanks(const NetworkLayout& layout, std::size_t first, std::size_t count,
                         std::span<float> gradients) {
    const auto take = [this](std::size_t size) { return memory_.emplace_back(size).span(); };
    for (std::size_t rank = first; rank < first + count; ++rank) {
        const bool given = rank == first && !gradients.empty();
        blocks_.push_back({rank, given ? gradients : take(layout.parameters.size()),
                           take(layout.statistics.size())});
    }
}

void PlayedRanks::fill(const Job& job, const NetworkLayout& layout) {
    for (const RankBlocks& rank : blocks_) fill_statistics(job, layout, rank.statistics);
}

FloatBlock make_optimizer_state(const Job& job, std::span<const Range> ranges) {
    std::size_t size = 0;
    for (const Range& range : ranges) size += range.size;
    return FloatBlock(size * make_optimizer(job.config.optimizer)->state_blocks());
}

}  // namespace dp::core
