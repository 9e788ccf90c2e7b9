// Forked workers under supervision: started together, watched until all have ended, and when one
// fails, all ended within a second, with the first failure told. The supervisor itself must stay
// free of threads, which is checked: a fork copies only the calling thread, and a lock that another
// holds stays locked in the child for ever.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace dp::multiproc {

/// A worker that died or failed, as the one message the user sees, and its parts for the result
/// file.
class WorkerFailure : public core::Error {
public:
    WorkerFailure(core::ExitCode code, const std::string& message, std::optional<std::size_t> rank,
                  pid_t pid, std::optional<int> signal)
        : Error(code, message), rank_(rank), pid_(pid), signal_(signal) {}

    /// None where the process that failed is not one rank but runs them all.
    [[nodiscard]] std::optional<std::size_t> rank() const { return rank_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The signal that killed it, if one did.
    [[nodiscard]] std::optional<int> signal() const { return signal_; }

private:
    std::optional<std::size_t> rank_;
    pid_t pid_;
    std::optional<int> signal_;
};

struct GroupCallbacks {
    /// What a message calls the process of rank `rank`; empty: "worker <rank>".
    std::function<std::string(std::size_t rank)> name;
    /// In the child, before its work: `leave`(error) ends the process at once as if work had thrown
    /// `error`; called once, from any thread. May be empty.
    std::function<void(std::function<void(const core::Error& error)> leave)> on_start;
    /// In the child: does rank `rank`'s work and returns its report. An Error thrown ends the
    /// process with its code.
    std::function<std::string(std::size_t rank)> work;
    /// In the supervisor, once, when the first worker has failed: releases those that wait for it.
    /// May be empty.
    std::function<void()> on_failure;
    /// In the supervisor: what rank `rank` was doing, for the message ("in backward of epoch 1,
    /// step 7"). May be empty.
    std::function<std::string(std::size_t rank)> describe;
    /// In the supervisor: the rank that the others wait for when a wait has timed out. May be
    /// empty.
    std::function<std::size_t(std::size_t reporter)> find_stalled;
};

/// Forks `count` children, waits for all of them and returns their reports by rank. Children die
/// with the supervisor. Throws WorkerFailure when one dies by a signal or ends without a report
/// (kWorkerDied), or fails with an Error (its code and message); Error(kInterrupted or kTerminated)
/// on SIGINT or SIGTERM. When it returns or throws no child is left.
std::vector<std::string> run_process_group(std::size_t count, const GroupCallbacks& callbacks);

}  // namespace dp::multiproc
