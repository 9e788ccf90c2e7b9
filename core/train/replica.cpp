#include "core/train/replica.hpp"

#include <omp.h>

#include "core/exchange/buckets.hpp"
#include "core/nn/network.hpp"
#include "core/train/model_state.hpp"

namespace dp::core {
namespace {

NetworkLayout plan(const Job& job) {
    omp_set_num_threads(1);
    return plan_layout(*job.model, job.config.batch_size, job.config.network);
}

}  // namespace

Replica::Replica(const Job& job)
    : layout(plan(job)),
      parameters(layout.parameters.size()),
      optimizer_state(layout.parameters.size() *
                      make_optimizer(job.config.optimizer)->state_blocks()),
      buckets(make_buckets(layout.parameters, job.config.bucket_kib * 1024)) {
    fill_parameters(job, layout, parameters.span());
}

}  // namespace dp::core
