// A sweep beside other programs, as a user runs it: the report names them.
#include <sched.h>

#include <atomic>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "core/base/affinity.hpp"
#include "experiments/results/results_folder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"

using namespace dp;

namespace {

/// Threads that do nothing but use one CPU, until the end of the scope.
class BusyLoops {
public:
    BusyLoops(std::size_t count, int cpu) {
        for (std::size_t i = 0; i < count; ++i) {
            threads_.emplace_back([this, cpu] {
                cpu_set_t set;
                CPU_ZERO(&set);
                CPU_SET(static_cast<std::size_t>(cpu), &set);
                sched_setaffinity(0, sizeof set, &set);
                while (!stop_.load(std::memory_order_relaxed)) {
                }
            });
        }
    }
    ~BusyLoops() {
        stop_.store(true, std::memory_order_relaxed);
        for (std::thread& thread : threads_) thread.join();
    }
    BusyLoops(const BusyLoops&) = delete;
    BusyLoops& operator=(const BusyLoops&) = delete;

private:
    std::atomic<bool> stop_ = false;  // relaxed: it orders nothing
    std::vector<std::thread> threads_;
};

/// Of the time of a mode's workers, that in which they were on a CPU.
double share_of_cpu(const std::filesystem::path& folder, const std::string& mode) {
    double cpu = 0.0;
    double wall = 0.0;
    for (const experiments::Run& run : experiments::read_results(folder).runs) {
        if (run.mode() != mode) continue;
        for (const core::WorkerReport& worker : run.result.workers) {
            cpu += worker.epochs.front().usage.cpu_seconds;
            wall += worker.epochs.front().wall_seconds;
        }
    }
    return cpu / wall;
}

}  // namespace

TEST_CASE("busy loops beside a sweep are told as other programs that had the CPUs") {
    const std::vector<int> cpus = core::started_cpus();
    if (cpus.size() < 2) {
        WARN("needs two CPUs");
        return;
    }
    const tests::TemporaryFolder folder;
    // The baseline's CPU and that of rank 0 is the first; loops have three quarters of rank 1's.
    const BusyLoops loops(3, cpus[1]);
    const auto result = tests::run_program({"--mode", "serial,threads", "-n", "2", "--reps", "3",
                                            "--epochs", "1", "--steps", "30", "--batch-size", "32",
                                            "--bind", fmt::format("{},{}", cpus[0], cpus[1]),
                                            "--no-report", "--out", folder.path() / "out"});
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK_FALSE(tests::holds(result.out, "are compute inflation"));
    if (share_of_cpu(folder.path() / "out", "serial") < 0.6) {
        WARN("too many other programs beside the baseline");
        return;
    }
    CHECK(tests::holds(result.out, "are preemption"));
    CHECK(tests::holds(result.out, "other programs had the CPUs"));
}
