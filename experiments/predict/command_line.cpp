#include "experiments/predict/command_line.hpp"

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"

namespace dp::experiments::predict {
namespace {

constexpr const char* kDescription =
    "Predict more workers than were measured, on one machine or on several";

constexpr const char* kFooter =
    "DIR holds the runs of a sweep that has repetitions, with N = 1 and another, and its\n"
    "allreduce.json. Without DIR a short sweep is measured first, which takes a minute on two "
    "CPUs.\n"
    "Examples:\n"
    "  dp_compare predict -n 16,32,64\n"
    "  dp_compare predict results -n 16,32,64 --latency-us 20 --bandwidth-gb-per-s 1.25\n"
    "Exit codes: those of dp_compare.";

constexpr std::size_t kMostPredicted = 65'536;

}  // namespace

CLI::App& add_subcommand(CLI::App& program, RawOptions& raw) {
    Request& request = raw.request;
    CLI::App& app = *program.add_subcommand("predict", kDescription);
    app.footer(kFooter);
    app.add_option("folder", request.folder, "Folder of results (default: measure first)")
        ->type_name("DIR");
    app.add_option("-n,--workers,--world-size", request.workers, "Workers to predict")
        ->delimiter(',')
        ->type_name("N[,N...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check(whole_number(1, kMostPredicted))
        ->required();
    app.add_option("--mode", request.modes,
                   "Modes to predict (default: all measured that exchange)")
        ->delimiter(',')
        ->type_name("MODE[,MODE...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--batch-size", request.batch_size,
                   "Images per worker and step (default: as measured)")
        ->check(whole_number(1, 1'000'000));
    app.add_option("--efficiency", raw.efficiency,
                   "Efficiency to hold, for which the batch per worker is sought")
        ->type_name("SHARE")
        ->capture_default_str();
    app.add_option("--latency-us", raw.latency_us,
                   "Microseconds of a message between machines; with --bandwidth-gb-per-s")
        ->check(number_in(0.0, 1e9, "a number of microseconds"))
        ->group("Network");
    app.add_option("--bandwidth-gb-per-s", raw.bandwidth_gb_per_s,
                   "GB (1e9 bytes) per second between machines; 10 Gbit/s are 1.25")
        ->check(number_in(1e-6, 1e6, "a number of GB/s above 0"))
        ->group("Network");
    app.add_option("--workers-per-machine", request.workers_per_machine,
                   "Workers on each machine (default: the usable CPUs of the one measured)")
        ->check(whole_number(1, kMostPredicted))
        ->group("Network");
    app.add_option("--json", request.json, "Write the predictions into this file")
        ->type_name("FILE");
    return app;
}

Request finish(const RawOptions& raw) {
    using core::Error;
    using core::ExitCode;
    Request request = raw.request;
    require_unique(request.modes, "--mode");
    require_unique(request.workers, "-n");
    for (const std::string& mode : request.modes) {
        if (find_mode(mode).exchanges) continue;
        throw Error(ExitCode::kUsage, "--mode {} exchanges nothing: choose from {}", mode,
                    core::join(modes_that(&Mode::exchanges)));
    }
    for (const std::string& mode : request.modes) {
        if (!request.folder.empty() || !find_mode(mode).has_teams) continue;
        throw Error(
            ExitCode::kUsage,
            "--mode {}: there is no model of an exchange in two levels: choose another mode", mode);
    }
    request.efficiency = parse_share("--efficiency", raw.efficiency);
    if (request.efficiency <= 0.0) {
        throw Error(ExitCode::kUsage, "--efficiency {} holds for any batch: give a share above 0",
                    raw.efficiency);
    }
    if (raw.latency_us.has_value() != raw.bandwidth_gb_per_s.has_value()) {
        throw Error(ExitCode::kUsage,
                    "--latency-us and --bandwidth-gb-per-s describe a network together: give both");
    }
    if (raw.latency_us) {
        request.network = {*raw.latency_us * 1e-6, *raw.bandwidth_gb_per_s * 1e9};
    } else if (request.workers_per_machine) {
        throw Error(ExitCode::kUsage,
                    "--workers-per-machine {} without a network: give --latency-us and "
                    "--bandwidth-gb-per-s too",
                    *request.workers_per_machine);
    }
    return request;
}

}  // namespace dp::experiments::predict
