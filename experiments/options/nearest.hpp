// The known word nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dp::experiments {

/// The entry of `known` with the fewest insertions, deletions and substitutions from `word`
/// (Levenshtein, 1966); empty when even that takes more than a change in three letters.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace dp::experiments
