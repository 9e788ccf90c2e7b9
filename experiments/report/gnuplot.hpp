// Runs the plots' scripts. Every plot is drawn by gnuplot from experiments/plots/*.gp, which a user
// may edit; see its style.gp.
#pragma once

#include <chrono>
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

/// The folder of plots in a folder of results.
inline constexpr const char* kPlotsFolder = "plots";

/// Writes `folder`/plots/NAME.csv of every plot and draws NAME.svg and NAME.png beside it.
/// Returns the figures drawn, in the order of `plots`. One warning says what is missing: gnuplot
/// (with its package), the scripts, a plot that gnuplot refuses, with gnuplot's words, or one that
/// takes longer than `limit`, which is the last to be tried. Throws Error(kData) when a file cannot
/// be written, and in an InterruptScope Error(kInterrupted or kTerminated), with gnuplot ended.
std::vector<Figure> draw_plots(const std::filesystem::path& folder, std::span<const PlotData> plots,
                               std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace dp::experiments::report
