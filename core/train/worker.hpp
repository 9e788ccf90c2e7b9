// The training loop. One loop serves every programming model: what differs is behind
// GradientExchange and in who owns the blocks that a worker is lent.
//
//   phase     writes                              reads                     ended by
//   load      own input                           data set                  -
//   forward   own activations and statistics      parameters, own input     -
//   backward  own gradients                       parameters, activations   hand_over, by bucket
//   exchange  own part of the summed gradients    all ranks' gradients      finish
//   update    own ranges, if any, of parameters   summed gradients          publish
//             and state
//   publish   -                                   -                         publish
//
// The calls in the last column are GradientExchange's. Backward starts after its begin_step(). With
// overlap the exchange also advances between backward's layers; that time is backward's in the
// phases, which sum to the wall time, and is told as hidden_seconds beside them.
#pragma once

#include "core/exchange/gradient_exchange.hpp"
#include "core/nn/tensor_layout.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"
#include "core/train/worker_blocks.hpp"

namespace dp::core {

/// Trains and evaluates as `job` says, saves what it asks for. The calling thread must have set its
/// OpenMP thread count to the threads per worker. Returns the run's result with all workers'
/// reports on rank 0, an empty one on the others. Throws Error, and PeerFailed when another rank
/// has failed.
RunResult run_worker(const Job& job, const NetworkLayout& layout, const WorkerBlocks& blocks,
                     GradientExchange& exchange);

/// Makes this thread round denormal floats to zero. Adam's averages of gradients that have become
/// zero decay into them, and arithmetic on them is tens of times slower. run_worker does it on
/// every thread that computes for it, so that all modes round alike.
void flush_denormals();

}  // namespace dp::core
