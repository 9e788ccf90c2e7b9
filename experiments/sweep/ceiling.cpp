#include "experiments/sweep/ceiling.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/train/data_job.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/ceiling_file.hpp"
#include "experiments/results/cold_steps.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/sweep/checks.hpp"
#include "multiproc/process_group.hpp"

namespace dp::experiments {
namespace {

/// One of the serial runs: as many steps as a worker of `config` takes, and its share of the test
/// images.
core::Job job_of_one(const SweepSetting& setting, const core::RunConfig& config,
                     core::RunListener& listener) {
    const std::size_t workers = config.workers;
    core::RunConfig one = config;
    one.steps_limit =
        steps_of(core::make_data_job(config, setting.data, setting.initial, listener));
    const Mode& serial = find_mode(modes_that(&Mode::is_baseline).front());
    one.mode = serial.name;
    one.reduction = serial.reductions().front().name;
    one.update = core::UpdateKind::kReplicated;
    one.workers = one.threads_per_worker = 1;
    one.save.clear();
    one.trace.reset();
    core::Job job = core::make_data_job(one, setting.data, setting.initial, listener);
    job.evaluation = [all = job.evaluation, workers](std::size_t rank, std::size_t) {
        return all(rank, workers);
    };
    return job;
}

/// Runs of several replicas with a CPU each, forked here.
bool has_ceiling(const Run& run) {
    const Mode& mode = mode_of(run.settings.config.mode);
    return run.workers() > 1 && run.settings.config.epochs > 0 && mode.exchanges &&
           !run.settings.oversubscribed && !mode.is_launched;
}

}  // namespace

bool wants_ceiling(const SweepSetting& setting, std::span<const Run> runs, const Run& run) {
    const Request& request = setting.request;
    const core::RunConfig& config = run.settings.config;
    if (!request.ceiling || request.measure_only || request.out.empty() ||
        request.repetitions < kFewestForCeiling || config.delay || config.shards) {
        return false;
    }
    if (!has_ceiling(run)) return false;
    const auto same = [&](const Run& other) {
        return has_ceiling(other) && other.workers() == run.workers() &&
               other.repetition == run.repetition;
    };
    const auto last = std::ranges::find_if(runs.rbegin(), runs.rend(), same);
    const bool has_one =
        std::ranges::any_of(runs, [](const Run& other) { return other.workers() == 1; });
    return has_one && &*last == &run &&
           !std::filesystem::exists(request.out / ceiling_file_name(run.workers(), run.repetition));
}

void measure_ceiling(const SweepSetting& setting, const Run& run) {
    const core::RunConfig& config = run.settings.config;
    core::RunListener silence;
    const core::Job job = job_of_one(setting, config, silence);
    const std::vector<int> cpus = cpus_of_ranks(config, setting.machine.topology);
    multiproc::GroupCallbacks copies;
    copies.name = [](std::size_t i) { return fmt::format("serial run {} of the ceiling", i); };
    copies.work = [&](std::size_t i) {
        core::Job own = job;
        if (!cpus.empty()) own.cpus = {cpus[i % cpus.size()]};
        Run serial;
        serial.settings.config = own.config;
        serial.result = find_mode(own.config.mode).run(own);
        note_cold_steps(serial);  // as of the runs that it is held against
        return nlohmann::json(serial.result.images_per_second()).dump();
    };
    Ceiling ceiling{config.workers, run.repetition, utc_now(), config.batch_size, {}, {}};
    const ConditionsReading before = read_conditions(setting.machine.affinity);
    for (const std::string& rate : multiproc::run_process_group(config.workers, copies)) {
        ceiling.images_per_second.push_back(nlohmann::json::parse(rate).get<double>());
    }
    ceiling.conditions = conditions_between(before, read_conditions(setting.machine.affinity));
    write_ceiling(setting.request.out, ceiling);
}

}  // namespace dp::experiments
