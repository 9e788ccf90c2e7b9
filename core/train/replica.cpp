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

FloatBlock make_optimizer_state(const Job& job, std::span<const Range> ranges) {
    std::size_t size = 0;
    for (const Range& range : ranges) size += range.size;
    return FloatBlock(size * make_optimizer(job.config.optimizer)->state_blocks());
}

}  // namespace dp::core
