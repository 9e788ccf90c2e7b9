#include "experiments/predict/calibration.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/data/synthetic.hpp"
#include "experiments/allreduce/reductions.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/machine/triad.hpp"
#include "experiments/modes.hpp"
#include "experiments/sweep/sweep.hpp"

namespace dp::experiments::predict {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;

constexpr std::size_t kSteps = 25;
constexpr std::size_t kRepetitions = 6;
constexpr std::size_t kBatch = 128;

/// A new folder, removed with all in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "dp_compare.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw Error(ExitCode::kResources,
                        "{} cannot be created ({}): let TMPDIR name a folder that can be written",
                        name, std::strerror(errno));
        }
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

std::vector<std::size_t> calibrating_workers(double usable_cpus) {
    const auto most = std::min(kMaxWorkers, static_cast<std::size_t>(usable_cpus));
    std::vector<std::size_t> workers;
    for (std::size_t n = 1; n < most; n *= 2) workers.push_back(n);
    workers.push_back(std::max<std::size_t>(1, most));
    return workers;
}

experiments::Request calibrating_sweep(const std::vector<std::string>& modes,
                                       std::size_t batch_size, double usable_cpus) {
    experiments::Request sweep;
    sweep.modes = modes;
    sweep.workers = calibrating_workers(usable_cpus);
    if (sweep.workers.size() < 2) {
        throw Error(ExitCode::kResources,
                    "{:g} usable CPUs measure no exchange: name a folder of results from a machine "
                    "that has two or more",
                    usable_cpus);
    }
    // Every worker has full batches, so that all steps are alike.
    const std::size_t room = core::kSyntheticTrainImages / (batch_size * sweep.workers.back());
    if (room == 0) {
        throw Error(ExitCode::kUsage,
                    "--batch-size {}: the {} synthetic images are not enough for a step of {} "
                    "workers: choose a smaller batch, or name a folder of results",
                    batch_size, core::kSyntheticTrainImages, sweep.workers.back());
    }
    const std::size_t steps = std::min(kSteps, room);
    sweep.base.steps_limit = steps;
    sweep.base.epochs = (kSteps + steps - 1) / steps;
    sweep.base.batch_size = batch_size;
    sweep.base.optimizer = core::OptimizerConfig::defaults("sgd");
    sweep.repetitions = kRepetitions;
    sweep.report = false;
    sweep.measure_only = true;
    sweep.quiet = true;
    return sweep;
}

analysis::Analysis calibrate(const Request& request) {
    const Machine machine = read_machine();
    const std::vector<std::string> modes =
        request.modes.empty() ? allreduce::usual_modes() : request.modes;
    experiments::Request sweep =
        calibrating_sweep(modes, request.batch_size.value_or(kBatch), machine.usable_cpus());
    spdlog::info(
        "no folder of results named: measuring {} with N = {}, {} runs of {} steps; a sweep with "
        "--out keeps such measurements",
        core::join(modes), core::join(sweep.workers),
        modes.size() * sweep.workers.size() * sweep.repetitions,
        *sweep.base.steps_limit * sweep.base.epochs);
    const InterruptScope interrupts;  // outlives the folder
    const TemporaryFolder folder;
    sweep.out = folder.path();
    run_request(sweep);
    return analysis::analyse(read_results(folder.path()), {{}, measure_triad(machine)});
}

}  // namespace dp::experiments::predict
