// What a reduction is, as one constexpr row beside its class. The command line, the help, the
// all-reduce benchmark, predictions, the tests and the check of checksums all read the
// row; nothing else says what kind of exchange a reduction is.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace dp::core {

/// Who updates which parameters.
enum class UpdateKind {
    kSliced,      // each rank updates its slice of parameters that all share
    kReplicated,  // each rank updates its whole replica
    kSharded,     // each rank updates its slice and sends it to the others' replicas
    kCentral,     // one rank updates for all
};

inline constexpr std::array<std::string_view, 4> kUpdateKindNames{"sliced", "replicated", "sharded",
                                                                  "central"};
/// As a user is told.
inline constexpr std::array<std::string_view, 4> kUpdateKindSentences{
    "each worker updates its slice of the shared parameters",
    "each worker updates all of its own parameters",
    "each worker updates its slice and sends it to the others",
    "worker 0 updates the parameters for all",
};

[[nodiscard]] constexpr std::string_view name_of(UpdateKind kind) {
    return kUpdateKindNames[static_cast<std::size_t>(kind)];
}

/// The order in which the addends of one sum are added.
enum class SumOrder {
    /// Chunk c: ((g[c] + g[c+1]) + ...) + g[c-1], ranks modulo the world size.
    kRing,
    /// Sums of groups of ranks first.
    kGrouped,
    /// With p the largest power of two that is not above N, the first 2 (N - p) ranks are added in
    /// neighbouring pairs, g[0] + g[1], g[2] + g[3] and so on, which leaves p sums; then
    /// neighbouring pairs of those, pairs of the pairs, until one is left. Recursive doubling adds
    /// so with MPICH's way of folding ranks beyond a power of two (Thakur, Rabenseifner and Gropp,
    /// "Optimization of collective communication operations in MPICH", 2005).
    kTree,
    /// Left to chance: another run may add in another order.
    kUnordered,
};

inline constexpr std::array<std::string_view, 4> kSumOrderNames{"ring", "grouped", "tree",
                                                                "unordered"};

[[nodiscard]] constexpr std::string_view name_of(SumOrder order) {
    return kSumOrderNames[static_cast<std::size_t>(order)];
}

/// Equal orders give equal bits, but for sums whose order is left to chance.
[[nodiscard]] constexpr bool promise_equal_bits(SumOrder a, SumOrder b) {
    return a == b && a != SumOrder::kUnordered;
}

struct ExchangeTraits {
    std::string_view name;
    std::string_view former_name;  // still understood, with a warning; may be empty
    std::string_view description;
    UpdateKind update = UpdateKind::kReplicated;
    SumOrder order = SumOrder::kRing;
    bool overlaps = true;           // progress() works on what all ranks have handed over
    bool meets_at_publish = false;  // publish() waits for all ranks
    bool can_shard = false;         // the update too, as UpdateKind::kSharded says
    /// Bytes that a rank sends to others or reads from them in an exchange, for each byte of
    /// gradients, as ExchangeStats::sent_bytes counts: the mean of all ranks, at least two.
    double (*sent_per_byte)(double ranks) = nullptr;

    [[nodiscard]] constexpr bool is_called(std::string_view wanted) const {
        return wanted == name || (!wanted.empty() && wanted == former_name);
    }
};

}  // namespace dp::core
