// The life of a process whose ranks are threads with one replica, whatever starts the process and
// carries messages between such processes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/exchange/channel.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

/// Which process it is, and what each of its threads is given; called on that thread.
struct TeamPlace {
    std::size_t process = 0;
    /// Where the thread says how far it is.
    std::function<RankPosition&(std::size_t thread)> position;
    /// Its channels to the threads of its place in other processes.
    std::function<std::unique_ptr<core::Channels>(std::size_t thread)> make_channels;
    /// What tells that another process has failed. May be empty: then only failures of this one
    /// end the thread's waits.
    std::function<const std::atomic<std::uint32_t>*(std::size_t thread)> failed;
    /// Of one wait for another thread of this process.
    double team_timeout_seconds = 300.0;
};

/// Trains job.config.threads_per_worker ranks as threads of this process; `leave` is
/// core::Job::leave. Returns the run's result in process 0, an empty one in the others. Throws what
/// the first thread failed with.
core::RunResult train_team(const core::Job& job, const TeamPlace& place,
                           const std::function<void(const core::Error& error)>& leave);

}  // namespace dp::multiproc
