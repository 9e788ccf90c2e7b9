#include "experiments/sweep/checks.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/modes.hpp"

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

void check_writable(const char* option, const fs::path& file) {
    if (file.empty()) return;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    std::error_code ignored;
    if (fs::is_directory(file, ignored) || access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(ExitCode::kUsage, "{} {} cannot be written: choose a file in a folder that can",
                    option, file.string());
    }
}

std::size_t cores_wanted(const RunConfig& config) {
    return find_mode(config.mode).cpus(config.workers);
}

bool is_oversubscribed(const RunConfig& config, const Machine& machine) {
    return static_cast<double>(cores_wanted(config)) > machine.usable_cpus();
}

void warn_oversubscribed(const std::vector<RunConfig>& configurations, const Machine& machine) {
    const auto most = std::ranges::max_element(configurations, {}, cores_wanted);
    if (!is_oversubscribed(*most, machine)) return;
    spdlog::warn(
        "{} workers on {:g} usable CPUs: they take turns, so expect no speedup beyond {:g}; "
        "such runs are marked oversubscribed",
        cores_wanted(*most), machine.usable_cpus(), machine.usable_cpus());
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
