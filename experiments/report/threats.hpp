// What may be wrong with the figures of this very folder, and what would settle it.
#pragma once

#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::report {

struct Threat {
    std::string title;
    std::string text;  // why it applies here, with the figure that says so, and what to do
};

/// The first sentence of `threat`, after its title: for where there is no room for all of it.
std::string brief(const Threat& threat);

/// Those that apply, the gravest first.
std::vector<Threat> find_threats(const analysis::Analysis& analysis);

}  // namespace dp::experiments::report
