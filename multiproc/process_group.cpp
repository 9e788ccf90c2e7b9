#include "multiproc/process_group.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "core/base/affinity.hpp"
#include "core/base/check.hpp"
#include "core/base/wait.hpp"
#include "multiproc/signal_scope.hpp"

namespace dp::multiproc {
namespace {

using core::Error;
using core::ExitCode;
using Clock = std::chrono::steady_clock;

// How long the peers of a failed worker have to leave by themselves before they are killed.
constexpr auto kGrace = std::chrono::milliseconds(500);
// Ends a worker that only noticed that another had failed; never shown.
constexpr int kPeerFailedExit = 99;

// The first byte of a report says how the work ended.
constexpr char kDone = 'd';
constexpr char kFailed = 'f';

/// A nameless file that a child writes its report to and the supervisor reads after the child's
/// end, so that a report of any length blocks nobody.
class ReportFile {
public:
    ReportFile() : fd_(memfd_create("report", MFD_CLOEXEC)) {
        if (fd_ < 0) {
            throw Error(ExitCode::kResources, "cannot make a report file ({}): use a smaller -n",
                        std::strerror(errno));
        }
    }
    ~ReportFile() {
        if (fd_ >= 0) close(fd_);
    }
    ReportFile(ReportFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;
    ReportFile& operator=(ReportFile&&) = delete;

    void write(char state, std::string_view text) const {
        std::string all(1, state);
        all += text;
        for (std::size_t done = 0; done < all.size();) {
            const ssize_t count = ::write(fd_, all.data() + done, all.size() - done);
            if (count < 0 && errno != EINTR) _exit(static_cast<int>(ExitCode::kResources));
            if (count > 0) done += static_cast<std::size_t>(count);
        }
    }

    [[nodiscard]] std::string read() const {
        std::string all;
        std::array<char, 4096> part{};
        ssize_t count = 0;
        while ((count = pread(fd_, part.data(), part.size(), static_cast<off_t>(all.size()))) > 0) {
            all.append(part.data(), static_cast<std::size_t>(count));
        }
        return all;
    }

private:
    int fd_;
};

/// A child of a process with threads could wait for ever for a lock that one of them held. Checks
/// nothing where /proc is not mounted, nor under the thread sanitizer, which has a thread itself.
void check_single_thread() {
#if !defined(__SANITIZE_THREAD__)
    std::error_code no_proc;
    const std::filesystem::directory_iterator threads("/proc/self/task", no_proc);
    if (!no_proc) DP_CHECK(std::distance(begin(threads), end(threads)), ==, 1);
#endif
}

struct Child {
    pid_t pid = -1;
    ReportFile report;
    bool ended = true;  // false while it runs
    int status = 0;
};

/// noexcept: nothing may unwind into the copy of the supervisor's stack.
[[noreturn]] void run_child(std::size_t rank, const GroupCallbacks& callbacks,
                            const ReportFile& report, pid_t supervisor) noexcept {
    core::restore_cpus();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(kPeerFailedExit);  // it died before prctl
    int code = 0;
    try {
        if (callbacks.on_start) {
            callbacks.on_start([&report](const Error& error) {
                report.write(kFailed, error.what());
                _exit(static_cast<int>(error.code()));  // other threads may hold stdio's locks
            });
        }
        report.write(kDone, callbacks.work(rank));
    } catch (const core::PeerFailed&) {
        code = kPeerFailedExit;
    } catch (...) {
        const Error error = core::as_error(std::current_exception());
        report.write(kFailed, error.what());
        code = static_cast<int>(error.code());
    }
    std::fflush(nullptr);
    _exit(code);  // without the parent's destructors and exit handlers
}

class Group {
public:
    /// The report files come first: what can fail must not fail with children already running.
    Group(std::size_t count, const GroupCallbacks& callbacks)
        : callbacks_(callbacks), children_(count) {
        check_single_thread();
        const pid_t supervisor = getpid();
        std::fflush(nullptr);  // else every child would print what is still buffered
        for (std::size_t rank = 0; rank < count; ++rank) {
            Child& child = children_[rank];
            child.pid = fork();
            if (child.pid == 0) {
                signals_.restore_in_child();
                run_child(rank, callbacks_, child.report, supervisor);
            }
            if (child.pid > 0) {
                child.ended = false;
                continue;
            }
            const int reason = errno;
            throw_after_end(Error(ExitCode::kResources,
                                  "cannot start worker {} of {} ({}): use a smaller -n", rank,
                                  count, std::strerror(reason)));
        }
    }

    ~Group() {
        if (running() != 0) end_all();
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    std::vector<std::string> wait() {
        while (running() != 0) {
            const int signal = signals_.wait();
            if (signal == SIGINT) interrupt();
            if (signal == SIGTERM || signal == SIGHUP) {
                throw_after_end(Error(ExitCode::kTerminated, "terminated: the run is incomplete"));
            }
            for (std::size_t rank = 0; rank < children_.size(); ++rank) {
                if (reap(children_[rank], WNOHANG) && !succeeded(children_[rank])) fail(rank);
            }
        }
        std::vector<std::string> reports;
        for (const Child& child : children_) reports.push_back(child.report.read().substr(1));
        return reports;
    }

private:
    [[nodiscard]] std::size_t running() const {
        return static_cast<std::size_t>(std::ranges::count(children_, false, &Child::ended));
    }

    /// True when `child` has ended by this call.
    static bool reap(Child& child, int options) {
        if (child.ended) return false;
        int status = 0;
        pid_t reaped = 0;
        do {
            reaped = waitpid(child.pid, &status, options);
        } while (reaped < 0 && errno == EINTR);
        if (reaped == 0) return false;
        child.ended = true;
        child.status = status;
        return true;
    }

    /// Exit 0 without a report is a failure too: something called exit() early.
    static bool succeeded(const Child& child) {
        return WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0 &&
               child.report.read().starts_with(kDone);
    }

    void end_all() {
        if (callbacks_.on_failure) callbacks_.on_failure();
        const auto deadline = Clock::now() + kGrace;
        while (running() != 0 && Clock::now() < deadline) {
            (void)signals_.wait();
            for (Child& child : children_) reap(child, WNOHANG);
        }
        for (Child& child : children_) {
            if (!child.ended) kill(child.pid, SIGKILL);
        }
        for (Child& child : children_) reap(child, 0);
    }

    template <typename Failure>
    [[noreturn]] void throw_after_end(const Failure& failure) {
        end_all();
        throw failure;
    }

    [[noreturn]] void interrupt() {
        throw_after_end(Error(ExitCode::kInterrupted, "interrupted: the run is incomplete"));
    }

    [[noreturn]] void fail(std::size_t rank) {
        // A worker that left because it saw another fail is not the one to name, if that one can be
        // found.
        std::size_t culprit = rank;
        if (is_echo(children_[rank])) {
            for (std::size_t other = 0; other < children_.size(); ++other) {
                reap(children_[other], WNOHANG);
                if (children_[other].ended && !succeeded(children_[other]) &&
                    !is_echo(children_[other])) {
                    culprit = other;
                }
            }
        }
        if (WIFSIGNALED(children_[culprit].status) &&
            WTERMSIG(children_[culprit].status) == SIGINT) {
            interrupt();  // Ctrl-C reaches the whole foreground group, a worker perhaps first
        }
        throw_after_end(failure_of(culprit));
    }

    static bool is_echo(const Child& child) {
        return WIFEXITED(child.status) && WEXITSTATUS(child.status) == kPeerFailedExit;
    }

    [[nodiscard]] std::string name_of(std::size_t rank) const {
        const std::string name =
            callbacks_.name ? callbacks_.name(rank) : fmt::format("worker {}", rank);
        return fmt::format("{} (pid {})", name, children_[rank].pid);
    }

    [[nodiscard]] std::string where_is(std::size_t rank) const {
        return callbacks_.describe ? fmt::format(" {}", callbacks_.describe(rank)) : "";
    }

    [[nodiscard]] WorkerFailure failure_of(std::size_t rank) const {
        constexpr std::string_view kAllEnded = "the run has ended and no worker is left running";
        const auto failure = [&](ExitCode code, std::size_t culprit, const std::string& message,
                                 std::optional<int> signal = std::nullopt) {
            return WorkerFailure(code, message, culprit, children_[culprit].pid, signal);
        };
        const Child& child = children_[rank];
        if (WIFSIGNALED(child.status)) {
            const int signal = WTERMSIG(child.status);
            const char* const hint = signal == SIGKILL ? " (out of memory, or killed by hand)" : "";
            return failure(ExitCode::kWorkerDied, rank,
                           fmt::format("{} was killed by signal {} ({}){}{}: {}", name_of(rank),
                                       signal, strsignal(signal), hint, where_is(rank), kAllEnded),
                           signal);
        }
        const std::string report = child.report.read();
        const auto code = static_cast<ExitCode>(WEXITSTATUS(child.status));
        if (!report.starts_with(kFailed) && code == ExitCode::kStalled) {
            return failure(
                code, rank,
                fmt::format("{} has stalled: one of its workers waited for another longer "
                            "than --timeout",
                            name_of(rank)));
        }
        if (!report.starts_with(kFailed)) {
            return failure(ExitCode::kWorkerDied, rank,
                           fmt::format("{} ended early with exit code {}{}: {}", name_of(rank),
                                       WEXITSTATUS(child.status), where_is(rank), kAllEnded));
        }
        if (code == ExitCode::kStalled && callbacks_.find_stalled) {
            const std::size_t stalled = callbacks_.find_stalled(rank);
            return failure(code, stalled,
                           fmt::format("{} has stalled{}: worker {} {}", name_of(stalled),
                                       where_is(stalled), rank, report.substr(1)));
        }
        return failure(code, rank, report.substr(1));
    }

    const GroupCallbacks& callbacks_;
    SignalScope signals_;
    std::vector<Child> children_;
};

}  // namespace

std::vector<std::string> run_process_group(std::size_t count, const GroupCallbacks& callbacks) {
    return Group(count, callbacks).wait();
}

}  // namespace dp::multiproc
