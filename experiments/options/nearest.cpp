#include "experiments/options/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace dp::experiments {
namespace {

std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t substituted = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known) {
    const auto best = std::ranges::min_element(
        known, {}, [&](const std::string& candidate) { return distance(word, candidate); });
    if (best == known.end() || 3 * distance(word, *best) > word.size()) return {};
    return *best;
}

}  // namespace dp::experiments
