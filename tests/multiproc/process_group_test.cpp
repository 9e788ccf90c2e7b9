// Supervision: what a worker's end, of whatever kind, becomes.
#include "multiproc/process_group.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <thread>

#include "core/base/check.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using core::ExitCode;
using multiproc::GroupCallbacks;
using multiproc::run_process_group;
using multiproc::WorkerFailure;

namespace {

/// Three workers of which rank 1 does `fault` and the others sleep for ever; what the group made of
/// it.
template <typename Fault>
std::optional<WorkerFailure> failure_of(const Fault& fault) {
    GroupCallbacks callbacks;
    callbacks.work = [&](std::size_t rank) -> std::string {
        if (rank == 1) fault();
        for (;;) pause();
    };
    const auto start = std::chrono::steady_clock::now();
    std::optional<WorkerFailure> failure;
    try {
        run_process_group(3, callbacks);
    } catch (const WorkerFailure& caught) {
        failure = caught;
    }
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    return failure;
}

}  // namespace

TEST_CASE("reports come back by rank and may be long") {
    GroupCallbacks callbacks;
    callbacks.work = [](std::size_t rank) {
        return std::string(300'000, static_cast<char>('a' + rank));
    };
    const auto reports = run_process_group(3, callbacks);
    REQUIRE(reports.size() == 3);
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK(reports[rank] == std::string(300'000, static_cast<char>('a' + rank)));
    }
}

TEST_CASE("a worker killed by any signal ends the group and is named") {
    for (const int signal : {SIGKILL, SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) {
        const auto failure = failure_of([signal] {
            ::signal(signal, SIG_DFL);  // the test program's own handler would print a report
            raise(signal);
        });
        REQUIRE(failure);
        CHECK(failure->code() == ExitCode::kWorkerDied);
        CHECK(failure->rank() == 1);
        CHECK(failure->signal() == signal);
        CHECK(tests::holds(failure->what(), "worker 1 (pid " + std::to_string(failure->pid())));
        CHECK(tests::holds(failure->what(), "signal " + std::to_string(signal)));
    }
}

TEST_CASE("a worker that exits early has failed even with code 0") {
    for (const int code : {0, 3}) {
        const auto failure = failure_of([code] { _exit(code); });
        REQUIRE(failure);
        CHECK(failure->code() == ExitCode::kWorkerDied);
        CHECK(failure->rank() == 1);
        CHECK(tests::holds(failure->what(), "exit code " + std::to_string(code)));
    }
}

TEST_CASE("a worker's error keeps its code and its words") {
    const auto failure = failure_of([] { throw core::Error(ExitCode::kData, "no such image"); });
    REQUIRE(failure);
    CHECK(failure->code() == ExitCode::kData);
    CHECK(std::string(failure->what()) == "no such image");
}

TEST_CASE("an exception that is no error of ours fails the run with its words") {
    const auto failure = failure_of([] { throw std::out_of_range("index 7"); });
    REQUIRE(failure);
    CHECK(failure->code() == ExitCode::kRunFailed);
    CHECK(tests::holds(failure->what(), "index 7"));
}

TEST_CASE("workers die with their supervisor") {
    // A process that supervises two workers tells us their pids and is killed.
    struct Pids {
        std::atomic<pid_t> worker[2];
    };
    void* memory =
        mmap(nullptr, sizeof(Pids), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto* pids = new (memory) Pids{};
    const pid_t supervisor = fork();
    if (supervisor == 0) {
        GroupCallbacks callbacks;
        callbacks.work = [&](std::size_t rank) -> std::string {
            pids->worker[rank].store(getpid());
            for (;;) pause();
        };
        run_process_group(2, callbacks);
        _exit(0);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const auto wait_until = [&](auto condition) {
        while (!condition() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return condition();
    };
    REQUIRE(wait_until([&] { return pids->worker[0].load() != 0 && pids->worker[1].load() != 0; }));
    kill(supervisor, SIGKILL);
    waitpid(supervisor, nullptr, 0);
    for (auto& worker : pids->worker) {
        // Gone, or a zombie that whoever inherited it has not yet collected.
        CHECK(wait_until([&] {
            std::ifstream stat("/proc/" + std::to_string(worker.load()) + "/stat");
            std::string pid, name, state;
            return !(stat >> pid >> name >> state) || state == "Z" || state == "X";
        }));
    }
    munmap(memory, sizeof(Pids));
}

TEST_CASE("a supervisor that has a thread besides its own is refused before it forks") {
#if defined(__SANITIZE_THREAD__)
    return;  // it has a thread of its own
#endif
    std::atomic<bool> over{false};
    std::thread other([&] { over.wait(false); });
    GroupCallbacks callbacks;
    callbacks.work = [](std::size_t) { return std::string(); };
    CHECK_THROWS_AS(run_process_group(1, callbacks), core::CheckFailure);
    over = true;
    over.notify_one();
    other.join();
}

TEST_CASE("an interrupt ends the group with code 130") {
    GroupCallbacks callbacks;
    const pid_t self = getpid();
    callbacks.work = [&](std::size_t rank) -> std::string {
        if (rank == 0) kill(self, SIGINT);
        for (;;) pause();
    };
    const auto error = tests::error_of([&] { run_process_group(2, callbacks); });
    REQUIRE(error);
    CHECK(error->code() == ExitCode::kInterrupted);
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}
