#include "experiments/sweep/checks.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/data/dataset_table.hpp"
#include "experiments/machine/binding.hpp"
#include "experiments/modes.hpp"
#include "multiproc/mpi/place.hpp"

namespace dp::experiments {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using core::RunConfig;

void check_shape(const core::ModelSpec& model, const core::Dataset& data) {
    if (model.input == data.shape()) return;
    const auto text = [](const core::ImageShape& shape) {
        return fmt::format("{} x {} x {}", shape.channels, shape.height, shape.width);
    };
    throw Error(ExitCode::kUsage,
                "--model {} takes images of {}, but --dataset {} has {}: choose another network "
                "or data set",
                model.name, text(model.input), data.name, text(data.shape()));
}

void check_modes(const Request& request) {
    for (const std::string& name : request.modes) {
        const Mode& mode = find_mode(name);
        if (mode.check != nullptr) mode.check(request.base);
    }
}

void prepare_file(const char* option, const fs::path& file) {
    if (file.empty()) return;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    std::error_code error;
    fs::create_directories(folder, error);
    if (error || fs::is_directory(file, error) || access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(ExitCode::kUsage, "{} {} cannot be written: choose a file in a folder that can",
                    option, file.string());
    }
}

void check_batch(const Request& request, std::size_t training_images) {
    if (request.base.epochs == 0) return;
    const std::size_t batch = request.global_batch.value_or(request.base.batch_size);
    if (batch > training_images) {
        throw Error(ExitCode::kUsage,
                    "{} {} is more than the {} training images of --dataset {}: choose at most {}",
                    request.global_batch ? "--global-batch" : "--batch-size", batch,
                    training_images, request.base.dataset, training_images);
    }
    const auto& shards = request.base.shards;
    const std::size_t most = shards.value_or(*std::ranges::max_element(request.workers));
    if (request.global_batch || batch * most <= training_images) return;
    spdlog::warn(
        "{} {} with batches of {} take {} images a step, and the data set has {}: their "
        "batches are smaller; choose a smaller --batch-size",
        most, shards ? "shards" : "workers", batch, batch * most, training_images);
}

void check_data_dir(const Request& request) {
    const auto& made = core::datasets().front();
    if (request.data_dir.empty() || request.base.dataset != made.name) return;
    constexpr const char* kIdx = "train-images-idx3-ubyte";
    std::string found;
    for (const auto& [name, file] : std::initializer_list<std::pair<const char*, fs::path>>{
             {"cifar10", "data_batch_1.bin"},
             {"cifar10", fs::path("cifar-10-batches-bin") / "data_batch_1.bin"},
             {"mnist", fs::path("mnist") / kIdx},
             {"fashion-mnist", fs::path("fashion-mnist") / kIdx},
             {"mnist or fashion-mnist", kIdx}}) {
        std::error_code ignored;
        const fs::path path = request.data_dir / file;
        if (!fs::exists(path, ignored) && !fs::exists(path.string() + ".gz", ignored)) continue;
        found += fmt::format("{}{}", found.empty() ? "" : ", ", name);
    }
    throw Error(ExitCode::kUsage, "--data-dir {} would not be read: {} images are made; {}",
                request.data_dir.string(), made.name,
                found.empty() ? "name the data set that it holds"
                              : fmt::format("it holds {}, so add --dataset", found));
}

namespace {

/// Such ranks find their CPUs themselves.
bool may_be_elsewhere(const RunConfig& config) {
    return find_mode(config.mode).is_launched && !config.mpi_run.empty() && !multiproc::mpi_place();
}

/// Those of the machine that --bind leaves.
double cpus_left(const RunConfig& config, const Machine& machine) {
    if (may_be_elsewhere(config)) return machine.usable_cpus();
    const std::vector<int> bound = bound_cpus(config.bind, machine.topology);
    if (bound.empty()) return machine.usable_cpus();
    const auto different = std::set(bound.begin(), bound.end()).size();
    return std::min(static_cast<double>(different), machine.usable_cpus());
}

}  // namespace

std::vector<int> cpus_of_ranks(const RunConfig& config, const Topology& topology) {
    if (may_be_elsewhere(config)) return {};
    std::vector<int> cpus = bound_cpus(config.bind, topology);
    const auto place = multiproc::mpi_place();
    if (!place || cpus.empty()) return cpus;
    const std::size_t team = config.threads_per_worker;  // ranks of this process
    std::vector<int> own;                                // and of others, as on one machine
    for (std::size_t rank = 0; rank < config.workers; ++rank) {
        own.push_back(cpus[rank % cpus.size()]);
    }
    if (place->world_size * team != config.workers) return own;  // refused when all have met
    for (std::size_t thread = 0; thread < team; ++thread) {
        own[place->rank * team + thread] = cpus[(place->local_rank * team + thread) % cpus.size()];
    }
    return own;
}

void check_cpus(const std::vector<RunConfig>& configurations, const Machine& machine) {
    for (const RunConfig& config : configurations) cpus_of_ranks(config, machine.topology);
}

std::size_t cores_wanted(const RunConfig& config) {
    return find_mode(config.mode).cpus(config.workers);
}

bool is_oversubscribed(const RunConfig& config, const Machine& machine) {
    if (const auto place = multiproc::mpi_place()) {
        // Ranks that the launcher has bound have CPUs of their own, and only these are seen here.
        const auto online = static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_ONLN));
        if (machine.affinity.size() < online) return false;
        return static_cast<double>(place->local_size * config.threads_per_worker) >
               cpus_left(config, machine);
    }
    return static_cast<double>(cores_wanted(config)) > cpus_left(config, machine);
}

void warn_oversubscribed(const std::vector<RunConfig>& configurations, const Machine& machine) {
    const auto most = std::ranges::max_element(configurations, {}, cores_wanted);
    if (!is_oversubscribed(*most, machine)) return;
    spdlog::warn(
        "{} workers on {:g} usable CPUs: they take turns, so expect no speedup beyond {:g}; "
        "such runs are marked oversubscribed",
        cores_wanted(*most), cpus_left(*most, machine), cpus_left(*most, machine));
    if (most->wait != core::WaitKind::kSpin) return;
    spdlog::warn(
        "--wait spin: a worker that waits keeps its CPU from the one that it waits for, until the "
        "kernel takes it away, milliseconds later: choose --wait auto");
}

void check_precision(const core::NetworkOptions& options, const Machine& machine) {
    if (options.precision != core::Precision::kBFloat16 || machine.native_bf16) return;
    throw Error(ExitCode::kResources,
                "--precision bf16 needs a CPU with avx512_bf16 or AMX, and oneDNN uses {} here{}: "
                "train with --precision fp32",
                machine.onednn_isa,
                std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr ? " (ONEDNN_MAX_CPU_ISA is set)" : "");
}

}  // namespace dp::experiments
