#include "experiments/machine/triad.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "core/base/check.hpp"

namespace dp::experiments {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBytes = std::size_t{128} << 20;  // of an array
constexpr std::size_t kElements = kBytes / sizeof(double);
constexpr int kPasses = 4;

void triad(double* a, const double* b, const double* c, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) a[i] = b[i] + 3.0 * c[i];
}

}  // namespace

std::optional<double> measure_triad(const Machine& machine) try {
    const auto threads = std::max<std::size_t>(1, static_cast<std::size_t>(machine.usable_cpus()));
    // Not initialised: each thread is the first to touch its part, which puts it near its CPU.
    const auto a = std::make_unique_for_overwrite<double[]>(kElements);
    const auto b = std::make_unique_for_overwrite<double[]>(kElements);
    const auto c = std::make_unique_for_overwrite<double[]>(kElements);
    std::barrier meet(static_cast<std::ptrdiff_t>(threads));
    double best_seconds = 1e9;
    const auto work = [&](std::size_t thread) {
        const std::size_t first = kElements * thread / threads;
        const std::size_t count = kElements * (thread + 1) / threads - first;
        std::fill_n(&b[first], count, 1.0);
        std::fill_n(&c[first], count, 2.0);
        triad(&a[first], &b[first], &c[first], count);
        for (int pass = 0; pass < kPasses; ++pass) {
            meet.arrive_and_wait();
            const auto start = Clock::now();
            triad(&a[first], &b[first], &c[first], count);
            meet.arrive_and_wait();
            const std::chrono::duration<double> seconds = Clock::now() - start;
            if (thread == 0) best_seconds = std::min(best_seconds, seconds.count());
        }
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
        work(0);
    }
    DP_CHECK(a[kElements / 2], ==, 7.0);
    return 3.0 * static_cast<double>(kBytes) / best_seconds;
} catch (const std::bad_alloc&) {
    return std::nullopt;
}

}  // namespace dp::experiments
