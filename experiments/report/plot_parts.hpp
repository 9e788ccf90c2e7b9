// What the files of the report's plots share; plot_data.hpp is what others include.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/analysis/analysis.hpp"
#include "experiments/report/plot_data.hpp"

namespace dp::experiments::report {

/// Whether `design` has lines and bars: all have or, of many designs, the first of each mode.
bool is_drawn(const analysis::Analysis& analysis, const std::string& design);

/// The configurations of the designs that have.
std::vector<std::reference_wrapper<const analysis::Configuration>> drawn(
    const analysis::Analysis& analysis);

/// The ends of the interval, where there is one.
std::optional<double> low(const statistics::Summary& summary);
std::optional<double> high(const statistics::Summary& summary);

/// "WHAT: threads, N = 2: 1.85; procs, N = 2: 1.83", of the largest N of each design that is not
/// oversubscribed, `text` telling each; that there is none, where there is none.
std::string in_words(const analysis::Analysis& analysis, const std::string& what,
                     const auto& text) {
    std::vector<std::string> told;
    for (const std::string& design : analysis.designs) {
        const analysis::Configuration* each = analysis.largest(design);
        if (each == nullptr || !is_drawn(analysis, design)) continue;
        const std::string words = text(*each);
        if (!words.empty()) told.push_back(fmt::format("{}: {}", each->name(), words));
    }
    return fmt::format(
        "{}: {}", what,
        told.empty() ? "no N above 1 that is not oversubscribed" : core::join(told, "; "));
}

// Where the time goes.
PlotData breakdown(const analysis::Analysis& analysis);
PlotData training_seconds(const analysis::Analysis& analysis);
PlotData metrics(const analysis::Analysis& analysis);
PlotData waterfall(const analysis::Analysis& analysis);

}  // namespace dp::experiments::report
