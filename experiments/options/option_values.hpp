// What the program's and its subcommands' options share: values read from text, and messages that
// say what is wrong with one and what would be right.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <CLI/CLI.hpp>

#include "core/base/error.hpp"
#include "core/train/run_config.hpp"

namespace dp::experiments {

/// A value of -n. Throws Error(kUsage).
std::size_t parse_workers(const std::string& text);

/// A range of steps, "11-13" or "11". Throws Error(kUsage) that names `option`.
core::StepRange parse_steps(const std::string& option, const std::string& text);
/// The inverse.
std::string to_text(const core::StepRange& steps);

/// A share of 1 in [0, 1), "5%", "5 %" or "0.05". Throws Error(kUsage) that names `option`.
double parse_share(const std::string& option, const std::string& text);

CLI::Validator number_in(double low, double high, const std::string& wanted);
CLI::Validator whole_number(std::size_t low, std::size_t high);

/// Throws Error(kUsage) when a value of `option` stands twice.
void require_unique(const auto& values, const char* option) {
    auto sorted = values;
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end()) {
        throw core::Error(core::ExitCode::kUsage, "{} names {} twice: name each once", option,
                          *twice);
    }
}

}  // namespace dp::experiments
