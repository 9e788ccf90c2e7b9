#include "experiments/predict/command_line.hpp"

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"

namespace dp::experiments::predict {
namespace {

constexpr const char* kDescription = "Predict more workers than were measured, as a range";

constexpr const char* kFooter =
    "DIR holds the runs of a sweep that has repetitions, with N = 1 and another. Without DIR a "
    "short\nsweep is measured first, which takes a minute on two CPUs.\n"
    "Examples:\n"
    "  dp_compare predict\n"
    "  dp_compare predict results -n 6,8\n"
    "Exit codes: those of dp_compare.";

constexpr std::size_t kMostPredicted = 65'536;

}  // namespace

CLI::App& add_subcommand(CLI::App& program, Request& request) {
    CLI::App& app = *program.add_subcommand("predict", kDescription);
    app.footer(kFooter);
    app.add_option("folder", request.folder, "Folder of results (default: measure first)")
        ->type_name("DIR");
    app.add_option("-n,--workers,--world-size", request.workers,
                   "Workers to predict (default: twice the most that were measured)")
        ->delimiter(',')
        ->type_name("N[,N...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check(whole_number(1, kMostPredicted));
    app.add_option("--mode", request.modes,
                   "Modes to predict (default: all measured that exchange)")
        ->delimiter(',')
        ->type_name("MODE[,MODE...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_flag("--far", request.far,
                 "Predict more than twice the workers that were measured: a range alone");
    app.add_option("--batch-size", request.batch_size,
                   "Images per worker and step, to measure with (default: 128)")
        ->check(whole_number(1, 1'000'000));
    app.add_option("--json", request.json, "Write the predictions into this file")
        ->type_name("FILE");
    return app;
}

Request finish(Request request) {
    using core::Error;
    using core::ExitCode;
    require_unique(request.modes, "--mode");
    require_unique(request.workers, "-n");
    for (const std::string& mode : request.modes) {
        if (!find_mode(mode).exchanges) {
            throw Error(ExitCode::kUsage, "--mode {} exchanges nothing: choose from {}", mode,
                        core::join(modes_that(&Mode::exchanges)));
        }
        if (request.folder.empty() && find_mode(mode).has_teams) {
            throw Error(ExitCode::kUsage,
                        "--mode {}: there is no model of an exchange in two levels: choose another "
                        "mode",
                        mode);
        }
    }
    if (request.batch_size && !request.folder.empty()) {
        throw Error(ExitCode::kUsage,
                    "--batch-size {} with a folder of results: predictions are for the batch that "
                    "was measured, since a step is not proportional to its batch: measure that "
                    "batch, or leave the option out",
                    *request.batch_size);
    }
    return request;
}

}  // namespace dp::experiments::predict
