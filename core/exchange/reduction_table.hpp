// A programming model's table of reductions: one row for each, of which the first is the default.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/exchange/exchange_traits.hpp"

namespace dp::core {

/// What a reduction is, and how to make one rank's end of it from the model's `Setup`.
template <typename Exchange, typename Setup>
struct Reduction {
    ExchangeTraits traits;
    std::unique_ptr<Exchange> (*make)(Setup setup) = nullptr;
};

/// The row of class `Made`, which has its traits as `kTraits`.
template <typename Made, typename Exchange, typename Setup>
constexpr Reduction<Exchange, Setup> reduction_row() {
    return {Made::kTraits, [](Setup setup) -> std::unique_ptr<Exchange> {
                return std::make_unique<Made>(std::move(setup));
            }};
}

/// What the rows of `table` are, in their order.
template <typename Table>
std::vector<ExchangeTraits> traits_of(const Table& table) {
    std::vector<ExchangeTraits> all;
    for (const auto& row : table) all.push_back(row.traits);
    return all;
}

/// The row of `table` called `name`, the first where `name` is empty. Throws Error(kUsage) that
/// lists the names.
template <typename Table>
const auto& find_reduction(const Table& table, std::string_view name) {
    if (name.empty()) return table.front();
    const auto found =
        std::ranges::find_if(table, [name](const auto& row) { return row.traits.is_called(name); });
    if (found != table.end()) return *found;
    throw Error(ExitCode::kUsage, "'{}' is not a reduction of this mode: choose from {}", name,
                join(table, ", ", [](const auto& row) { return row.traits.name; }));
}

}  // namespace dp::core
