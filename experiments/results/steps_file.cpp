#include "experiments/results/steps_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/measure/step_times.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/gzip.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::EpochSteps;
using core::WorkerReport;

constexpr std::size_t kKeys = 3;  // epoch, step, rank

std::string header() {
    std::string text = "epoch,step,rank";
    for (const std::string_view part : core::kStepPartNames) text += fmt::format(",{}_us", part);
    return text;
}

std::string row(std::size_t epoch, std::size_t step, const WorkerReport& worker) {
    std::string text = fmt::format("{},{},{}", epoch + 1, step + 1, worker.rank);
    for (const auto& column : worker.steps[epoch].columns) {
        text += column.empty() ? "," : fmt::format(",{}", column[step]);
    }
    return text + '\n';
}

/// The file's numbers, one row at a time.
class Rows {
public:
    explicit Rows(const fs::path& file) : file_(file), reader_(file) {
        if (reader_.line() != header()) fail("its first line is not that of a file of steps");
    }

    /// Appends the next row, which must be that of these keys, to `steps`.
    void read(std::size_t epoch, std::size_t step, std::size_t rank, EpochSteps& steps) {
        ++row_;
        const auto line = reader_.line();
        if (!line) fail("it ends early");
        rest_ = *line;
        for (const std::size_t key : {epoch + 1, step + 1, rank}) {
            if (cell() != key) fail(fmt::format("row {} is not of the step that is due", row_));
        }
        for (auto& column : steps.columns) {
            const auto value = cell();
            // A rank's lateness is known in all steps of an epoch or in none.
            const bool may_be_empty = &column >= &steps[core::StepPart::kLateAtExchange];
            if (may_be_empty ? step > 0 && value.has_value() == column.empty() : !value) {
                fail(fmt::format("row {} has other cells than a step", row_));
            }
            if (value) column.push_back(*value);
        }
        if (!ended_) fail(fmt::format("row {} has too many cells", row_));
        ended_ = false;
    }

    void check_end() {
        if (reader_.line()) fail("it goes on after the last step");
    }

private:
    std::optional<std::uint32_t> cell() {
        if (ended_) fail(fmt::format("row {} has too few cells", row_));
        const std::size_t length = std::min(rest_.find(','), rest_.size());
        const std::string_view text = rest_.substr(0, length);
        ended_ = length == rest_.size();
        rest_.remove_prefix(ended_ ? length : length + 1);
        if (text.empty()) return std::nullopt;
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) {
            fail(fmt::format("row {} holds something else than whole numbers", row_));
        }
        return value;
    }

    [[noreturn]] void fail(std::string_view reason) const {
        throw core::Error(core::ExitCode::kData, "{} is damaged ({}): remove it, or run it again",
                          file_.string(), reason);
    }

    const fs::path& file_;
    GzipReader reader_;
    std::string_view rest_;
    bool ended_ = false;
    std::size_t row_ = 0;
};

}  // namespace

std::string steps_file_name(const Run& run) {
    return fmt::format("steps-{}-n{}-r{}.csv.gz", in_file_name(design_of(run.settings.config)),
                       run.workers(), run.repetition);
}

bool is_steps_file(std::string_view name) {
    return name.starts_with("steps-") && name.ends_with(".csv.gz");
}

void write_steps(const fs::path& folder, const Run& run) {
    const fs::path file = folder / steps_file_name(run);
    const std::vector<WorkerReport>& workers = run.result.workers;
    if (workers.empty() || workers.front().steps.empty()) {
        std::error_code ignored;
        fs::remove(file, ignored);
        return;
    }
    GzipWriter text;
    text.add(header() + '\n');
    for (std::size_t epoch = 0; epoch < workers.front().steps.size(); ++epoch) {
        for (std::size_t step = 0; step < workers.front().steps[epoch].size(); ++step) {
            for (const WorkerReport& worker : workers) text.add(row(epoch, step, worker));
        }
    }
    write_text(file, text.finish());
}

void read_steps(Run& run) {
    const fs::path file = run.file.parent_path() / steps_file_name(run);
    std::error_code ignored;
    if (run.failure || !fs::exists(file, ignored)) return;
    Rows rows(file);
    for (WorkerReport& worker : run.result.workers) worker.steps.clear();
    std::size_t left = core::kMostStepsKept;
    for (std::size_t epoch = 0; epoch < run.result.epochs.size(); ++epoch) {
        for (WorkerReport& worker : run.result.workers) worker.steps.emplace_back();
        const std::size_t steps = std::min(left, run.result.steps_per_epoch);
        left -= steps;
        for (std::size_t step = 0; step < steps; ++step) {
            for (WorkerReport& worker : run.result.workers) {
                rows.read(epoch, step, worker.rank, worker.steps.back());
            }
        }
    }
    rows.check_end();
}

}  // namespace dp::experiments
