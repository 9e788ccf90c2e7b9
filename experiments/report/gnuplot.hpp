// Runs the plots' scripts. Every plot is drawn by gnuplot from experiments/plots/*.gp, which a user
// may edit; see its style.gp.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/report/document.hpp"
#include "experiments/report/plot_data.hpp"

namespace dp::experiments::report {

/// The folder of style.gp: that of the environment variable DP_COMPARE_PLOTS, or `plots` beside the
/// program, or that of the sources it was built from. Throws Error(kUsage) when the variable names
/// a folder without it, Error(kData) that names all places when none has it.
std::filesystem::path find_plot_scripts();

/// Writes `folder`/plots/NAME.csv of every plot and draws NAME.svg and NAME.png beside it.
/// Yields the figures drawn, in the order of `plots`. One warning says what is missing: gnuplot
/// (with its package), the scripts, or a plot that gnuplot refuses, with gnuplot's words. Throws
/// Error(kData) when a file cannot be written.
std::vector<Figure> draw_plots(const std::filesystem::path& folder,
                               std::span<const PlotData> plots);

}  // namespace dp::experiments::report
