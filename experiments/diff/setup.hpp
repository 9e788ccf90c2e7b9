// What differs in the set-up of two result folders, and whether figures may be compared at all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::diff {

/// Configurations that both folders have, side by side.
struct Pair {
    const analysis::Configuration& before;
    const analysis::Configuration& after;
};

/// "threads N = 2".
std::string name_of(const analysis::Configuration& configuration);

struct SetupDifference {
    std::string section;  // config or context
    std::string field;
    std::string before;  // as JSON; several values of one folder with "or" between
    std::string after;
    /// Changes the speed by itself: another machine, another library, other work.
    bool affects_speed = false;
    std::vector<std::string> configurations;  // names; empty: all of them
};

/// Field by field, in the files' order, those of `config` first. Left out are what a configuration
/// is named by, what follows from another field, and what always differs, as the load average.
std::vector<SetupDifference> find_setup_differences(std::span<const Pair> pairs);

/// Whether the runs of `pair` have to end with equal parameters, bit for bit: equal settings, build
/// and kind of CPU.
bool promises_equal_checksums(const Pair& pair);

}  // namespace dp::experiments::diff
