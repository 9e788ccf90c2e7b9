// The shared-memory model: one OpenMP parallel region for the whole run, one shared parameter block
// and optimizer state, a gradient block per rank that its own thread touches first.
#pragma once

#include <cstddef>
#include <functional>

#include "core/base/error.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::threaded {

/// Runs `job` with job.config.workers OpenMP threads; the calling thread becomes rank 0. Throws the
/// first rank's error when any fails, Error(kResources) when OpenMP gives fewer threads than asked
/// for.
core::RunResult run_threads(const core::Job& job);

/// Runs `body`(rank) on `threads` OpenMP threads, each with its own OpenMP thread count set to one,
/// so that what it calls stays on its core. Ends when all have returned and rethrows what made a
/// rank fail first; `on_failure` is called by a rank that fails, to release those that wait for it.
/// A thread that has not returned half a second after another failed cannot be ended: the process
/// then leaves, by `leave`(the failure) if there is one, else without a word, with its exit code.
void run_team(std::size_t threads, const std::function<void(std::size_t rank)>& body,
              const std::function<void()>& on_failure,
              const std::function<void(const core::Error&)>& leave = {});

}  // namespace dp::threaded
