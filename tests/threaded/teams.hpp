// Teams of threads on any reduction, for its tests.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sums.hpp"
#include "threaded/reductions.hpp"
#include "threaded/run_threads.hpp"

namespace dp::tests {

using Buckets = std::vector<core::Range>;

inline const Buckets kThreeBuckets{{600, 400}, {16, 584}, {0, 16}};

/// Reductions whose ranks keep each other off by locks and barriers of libgomp. It is not built
/// with the thread sanitizer, which would see races where there are none.
inline constexpr std::array<std::string_view, 4> kUnseenBySanitizer{"omp-for", "omp-reduction",
                                                                    "critical", "critical-blocks"};

/// The rows of the table that the tests of this build can tell right from wrong: all of them, if it
/// is not that of the thread sanitizer.
inline std::vector<threaded::Reduction> watched_reductions() {
    std::vector<threaded::Reduction> rows;
    for (const threaded::Reduction& row : threaded::reductions()) {
#ifdef __SANITIZE_THREAD__
        if (std::ranges::find(kUnseenBySanitizer, row.traits.name) != kUnseenBySanitizer.end()) {
            continue;
        }
#endif
        rows.push_back(row);
    }
    return rows;
}

struct Case {
    const threaded::Reduction& reduction = threaded::reductions().front();
    std::size_t world = 1;
    Buckets buckets = {};
    std::size_t size = 0;
    double timeout_seconds = 60.0;
    std::uint32_t first_count = 0;
    std::function<void(const core::Error&)> leave = {};
};

/// Runs `body`(exchange, gradients, rank) on the ranks of `test`; returns what they counted.
template <typename Body>
std::vector<std::size_t> count_in_ranks(const Case& test, const Body& body) {
    threaded::SharedTeam team(test.world, test.buckets, test.timeout_seconds, core::WaitKind::kAuto,
                              test.first_count);
    std::vector<std::vector<float>> gradients(test.world, std::vector<float>(test.size));
    std::vector<std::size_t> counts(test.world);
    threaded::run_team(
        test.world,
        [&](std::size_t rank) {
            const auto exchange = test.reduction.make({team, rank, gradients[rank]});
            counts[rank] = static_cast<std::size_t>(body(*exchange, gradients[rank], rank));
        },
        [&] { team.failed.store(1); }, test.leave);
    return counts;
}

inline std::vector<std::size_t> zeros(std::size_t world) { return std::vector<std::size_t>(world); }

/// Calls `check`(reduction, world) for each row of the table and each world size.
template <typename Check>
void for_each_reduction(const Check& check) {
    for (const threaded::Reduction& reduction : watched_reductions()) {
        for (const std::size_t world : kWorldSizes) {
            INFO("reduction " << reduction.traits.name << " world size " << world);
            check(reduction, world);
        }
    }
}

}  // namespace dp::tests
