#include "experiments/allreduce/table.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace dp::experiments::allreduce {

bool RoundLimits::enough(std::size_t rounds, double seconds) const {
    if (exactly) return rounds >= kWarmUp + *exactly;
    return rounds >= kWarmUp + kMost || (rounds >= kWarmUp + kFewest && seconds >= kSeconds);
}

void fill_addends(std::size_t rank, std::size_t round, std::span<float> gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = addend(rank, round, i);
}

std::size_t count_wrong(std::size_t world_size, std::size_t round, std::size_t first,
                        std::span<const float> sums) {
    // A tile of expected sums stays in L1 while the ranks' addends go over it.
    std::array<float, 4096> expected;
    std::size_t wrong = 0;
    for (std::size_t done = 0; done < sums.size(); done += expected.size()) {
        const std::size_t size = std::min(expected.size(), sums.size() - done);
        std::fill_n(expected.begin(), size, 0.F);
        for (std::size_t rank = 0; rank < world_size; ++rank) {
            for (std::size_t i = 0; i < size; ++i) {
                expected[i] += addend(rank, round, first + done + i);
            }
        }
        std::uint32_t differ = 0;
        for (std::size_t i = 0; i < size; ++i) differ += sums[done + i] != expected[i] ? 1U : 0U;
        wrong += differ;
    }
    return wrong;
}

std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

double Row::algbw() const {
    // Bytes per microsecond are megabytes per second.
    return time_us.median > 0.0 ? static_cast<double>(bytes) / time_us.median / 1e3 : 0.0;
}

double Row::busbw() const {
    const auto n = static_cast<double>(workers);
    return algbw() * 2.0 * (n - 1.0) / n;
}

std::string format_header() {
    return fmt::format("{:<10} {:>10}  {:<8} {:>3}  {:<18} {:>32}  {:>10}  {:>10}  {:>6}",
                       "# bytes", "count", "mode", "N", "reduction", "time_us (median, min, max)",
                       "algbw_GB/s", "busbw_GB/s", "#wrong");
}

std::string format_row(const Row& row) {
    const auto number = [&](double value) {
        return row.wrong == 0 ? fmt::format("{:.2f}", value) : std::string("-");
    };
    return fmt::format(
        "{:<10} {:>10}  {:<8} {:>3}  {:<18} {:>10} {:>10} {:>10}  {:>10}  {:>10}"
        "  {:>6}{}{}",
        row.bytes, row.count(), row.mode, row.workers, row.reduction, number(row.time_us.median),
        number(row.time_us.minimum), number(row.time_us.maximum), number(row.algbw()),
        number(row.busbw()), row.wrong,
        row.threads_per_worker == 1 ? ""
                                    : fmt::format("  {} threads a process", row.threads_per_worker),
        row.oversubscribed ? "  oversubscribed" : "");
}

}  // namespace dp::experiments::allreduce
