// The data of the report's plots: what experiments/plots/*.gp read.
#pragma once

#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::report {

/// One plot, for which there is something to show.
struct PlotData {
    std::string name;     // of its files in plots/
    std::string script;   // experiments/plots/<script>.gp draws it
    std::string csv;      // its data
    std::string caption;  // for those who see it
    std::string alt;      // for those who do not
};

/// What all plots read beside their own data, plots/modes.csv: the colour and mark of each mode.
std::string modes_csv();

/// The plots that `analysis` has data for, in the report's order.
std::vector<PlotData> plot_data(const analysis::Analysis& analysis);

}  // namespace dp::experiments::report
