#include "experiments/report/command_line.hpp"

#include <CLI/CLI.hpp>

namespace dp::experiments::report {

CLI::App& add_subcommand(CLI::App& program, Request& request) {
    CLI::App& app = *program.add_subcommand(
        "report", "Write report.html, report.md, summary.json and plots of a folder of results");
    app.footer(
        "Plots need gnuplot (Debian: gnuplot-nox); without it the report has none. Their scripts\n"
        "are in experiments/plots, or in the folder that DP_COMPARE_PLOTS names.\n"
        "Example:\n"
        "  dp_compare --mode serial,threads,procs -n 1,2 --reps 5 --out results\n"
        "  dp_compare report results\n"
        "Exit codes: those of dp_compare.");
    app.add_option("DIR", request.folder, "The folder that --out has filled")->required();
    return app;
}

}  // namespace dp::experiments::report
