// Ranks that are forked processes, in tests of what they exchange.
#pragma once

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sums.hpp"

namespace dp::tests {

struct Case {
    const multiproc::Reduction& reduction;
    std::size_t world = 1;
    std::vector<core::Range> buckets;
    std::size_t size = 0;
    double timeout_seconds = 60.0;
    std::uint32_t first_count = 0;
    multiproc::ChannelShape shape = {};
    core::UpdateKind update = reduction.traits.update;
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// More processes take minutes, and the sanitizers see nothing new there. Races they see where
// threads stand for the ranks.
inline constexpr std::array<std::size_t, 3> kWorlds{1, 2, 3};
#else
inline constexpr auto& kWorlds = kWorldSizes;
#endif

/// Forks the ranks of `test`, each of which returns count(exchange, rank); returns the counts.
template <typename Count>
inline std::vector<std::string> count_in_ranks(const Case& test, const Count& count) {
    multiproc::SegmentPlan plan = test.reduction.plan(test.world, test.size);
    plan.first_count = test.first_count;
    plan.shape = test.shape;
    multiproc::SharedSegment segment(plan);
    multiproc::GroupCallbacks callbacks;
    callbacks.work = [&](std::size_t rank) {
        const auto exchange = test.reduction.make(
            {segment, rank, test.buckets, test.size, test.timeout_seconds, test.update});
        return std::to_string(count(*exchange, rank));
    };
    callbacks.on_failure = [&] { segment.failed().store(1); };
    return multiproc::run_process_group(test.world, callbacks);
}

inline std::vector<std::string> all(std::size_t world, std::size_t value) {
    return std::vector<std::string>(world, std::to_string(value));
}

/// Wrong sums and parameters over a few steps, in which rank r sleeps in step r.
inline std::vector<std::string> count_wrong(const Case& test) {
    return count_in_ranks(test, [&](core::ChannelExchange& exchange, std::size_t rank) {
        std::vector<float> parameters(test.size);
        std::size_t wrong = 0;
        for (std::size_t round = 0; round < 3; ++round) {
            exchange.begin_step();
            fill_integers(rank, round, exchange.gradients());
            if (rank == round) usleep(2000);
            exchange.reduce();
            wrong += count_wrong_updates(exchange, test.world, round, parameters);
        }
        return wrong;
    });
}

/// Calls `check`(reduction) for each row of the table.
template <typename Check>
inline void for_each_reduction(const Check& check) {
    for (const multiproc::Reduction& reduction : multiproc::reductions()) {
        INFO("reduction " << reduction.traits.name);
        check(reduction);
    }
}

inline const std::vector<core::Range> kThreeBuckets{{600, 400}, {16, 584}, {0, 16}};

}  // namespace dp::tests
