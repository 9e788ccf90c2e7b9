// Gradients whose sums are exact in float32, so that any wrong, lost or doubled addend shows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/exchange/gradient_exchange.hpp"

namespace dp::tests {

inline constexpr std::array<std::size_t, 5> kWorldSizes{1, 2, 3, 4, 7};

using Blocks = std::vector<std::vector<float>>;

/// Values whose sum depends on the order.
inline Blocks random_blocks(std::size_t count, std::size_t size) {
    Blocks blocks(count, std::vector<float>(size));
    for (std::size_t k = 0; k < count; ++k) {
        const core::RandomStream random(7, core::RandomUse::kSynthetic, {k});
        for (std::size_t i = 0; i < size; ++i) blocks[k][i] = random.uniform(i) - 0.3F;
    }
    return blocks;
}

/// 0, 1, around the world size, and as many as cifar_cnn has parameters.
inline std::vector<std::size_t> sizes_for(std::size_t world) {
    return {0, 1, world - 1, world, world + 1, 1'147'914};
}

/// A small integer that differs between ranks, places and rounds.
inline float integer_at(std::size_t rank, std::size_t round, std::size_t i) {
    return static_cast<float>((i * 31 + rank * 17 + round * 7 + rank * i) % 1021);
}

inline void fill_integers(std::size_t rank, std::size_t round, std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = integer_at(rank, round, i);
}

inline std::size_t count_wrong_integers(std::size_t world, std::size_t round, core::Range range,
                                        std::span<const float> sums) {
    std::size_t wrong = 0;
    for (std::size_t i = range.offset; i < range.offset + range.size; ++i) {
        float expected = 0.F;
        for (std::size_t rank = 0; rank < world; ++rank) expected += integer_at(rank, round, i);
        if (sums[i] != expected) ++wrong;
    }
    return wrong;
}

/// Wrong sums in what of `range` the rank updates; then does the update, which here takes the sums
/// for parameters, publishes them, and counts the wrong ones in all of `parameters`.
inline std::size_t count_wrong_updates(core::GradientExchange& exchange, std::size_t world,
                                       std::size_t round, std::span<float> parameters) {
    std::size_t wrong = 0;
    std::ranges::fill(parameters, -1.F);
    for (const core::Range& range : exchange.update_ranges()) {
        wrong += count_wrong_integers(world, round, range, exchange.summed_gradients());
        std::ranges::copy(exchange.summed_gradients().subspan(range.offset, range.size),
                          parameters.begin() + static_cast<std::ptrdiff_t>(range.offset));
    }
    exchange.publish(parameters);
    return wrong + count_wrong_integers(world, round, {0, parameters.size()}, parameters);
}

/// The part of `range` that `exchange` updates on this rank.
inline std::vector<core::Range> updated_part(const core::GradientExchange& exchange,
                                             core::Range range) {
    std::vector<core::Range> parts;
    for (const core::Range& own : exchange.update_ranges()) {
        const std::size_t begin = std::max(own.offset, range.offset);
        const std::size_t end = std::min(own.offset + own.size, range.offset + range.size);
        if (begin < end) parts.push_back({begin, end - begin});
    }
    return parts;
}

/// Broadcasts and gathers a few times on `exchange`; returns the number of wrong values.
inline int count_wrong_collectives(core::GradientExchange& exchange, std::size_t rank,
                                   std::size_t world) {
    int wrong = 0;
    for (std::size_t round = 0; round < 20; ++round) {
        // Longer than one slot of a ring channel, so that it travels in parts.
        std::vector<float> values(round % 2 == 0 ? 100 : 70'000);
        fill_integers(rank, round, values);
        exchange.broadcast(values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] != integer_at(0, round, i)) ++wrong;
        }
        const std::array<std::size_t, 2> mine{rank, round};
        std::vector<std::array<std::size_t, 2>> all(world);
        exchange.all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
        for (std::size_t r = 0; r < world; ++r) {
            if (all[r][0] != r || all[r][1] != round) ++wrong;
        }
        // Reports of other lengths on each rank: some empty, some longer than a slot.
        const auto report_of = [&](std::size_t r) {
            return std::string(r * round * 20'000 % 1'000'003, static_cast<char>('a' + r));
        };
        const std::vector<std::string> reports = exchange.gather(report_of(rank));
        if (reports.size() != (rank == 0 ? world : 0)) ++wrong;
        for (std::size_t r = 0; r < reports.size(); ++r) {
            if (reports[r] != report_of(r)) ++wrong;
        }
    }
    return wrong;
}

}  // namespace dp::tests
