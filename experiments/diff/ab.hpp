// `dp_compare ab`: two programs, or two sets of options, measured in turn and compared in pairs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/diff/comparison.hpp"

namespace dp::experiments::diff {

struct AbRequest {
    std::array<std::vector<std::string>, 2> commands;  // a and b: program, options
    std::size_t pairs = 10;
    std::filesystem::path out;  // gets a/001, b/001, a/002 and so on, a folder of results each
    bool force = false;
    std::uint64_t seed = 1;
    Terms terms;
    std::filesystem::path json;  // empty: no file
};

/// Which side of `commands` runs first in each of `pairs`: drawn with `seed` for each odd one, the
/// other in the next. So a b b a or b a a b: what drifts steadily favours neither.
std::vector<std::size_t> first_sides(std::size_t pairs, std::uint64_t seed);

/// Runs both, one repetition of each after the other, `pairs` times, and tells the comparison as
/// run_diff() does. Throws what that does, Error(kRunFailed) when a program fails, Error(kUsage)
/// when it cannot be started, Error(kInterrupted, kTerminated): then what was measured is kept.
void run_ab(const AbRequest& request);

}  // namespace dp::experiments::diff
