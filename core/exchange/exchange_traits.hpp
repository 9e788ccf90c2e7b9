// What a reduction is, as one constexpr row beside its class. The command line, the help, the
// all-reduce benchmark, the model of its cost, the tests and the check of checksums all read the
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

[[nodiscard]] constexpr std::string_view name_of(UpdateKind kind) {
    return kUpdateKindNames[static_cast<std::size_t>(kind)];
}

/// The order in which the addends of one sum are added.
enum class SumOrder {
    kRing,     // chunk c: ((g[c] + g[c+1]) + ...) + g[c-1], ranks modulo the world size
    kGrouped,  // sums of groups of ranks first
    kTree,     // pairs of neighbours first, then pairs of their sums
    kUnordered,
};

/// Equal orders give equal bits, but for sums whose order is left to chance.
[[nodiscard]] constexpr bool promise_equal_bits(SumOrder a, SumOrder b) {
    return a == b && a != SumOrder::kUnordered;
}

/// Costs are those of one rank and one exchange among `ranks`, at least two of them, for each byte
/// of gradients where the name says so.
struct ExchangeTraits {
    std::string_view name;
    std::string_view former_name;  // still understood, with a warning; may be empty
    std::string_view description;
    UpdateKind update = UpdateKind::kReplicated;
    SumOrder order = SumOrder::kRing;
    bool meets_at_publish = false;              // publish() waits for all ranks
    double (*signals)(double ranks) = nullptr;  // counters of others that it waits for in turn
    double (*moved_per_byte)(double ranks) = nullptr;  // loads and stores
    double (*sent_per_byte)(double ranks) = nullptr;   // as ExchangeStats::sent_bytes counts

    [[nodiscard]] constexpr bool is_called(std::string_view wanted) const {
        return wanted == name || (!wanted.empty() && wanted == former_name);
    }
};

}  // namespace dp::core
