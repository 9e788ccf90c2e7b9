// What the ranks that the program had started tell it, over their standard output, which the
// launcher passes on from every machine: one JSON object a line, with its kind as the only key.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/train/job.hpp"
#include "multiproc/process_group.hpp"

namespace dp::multiproc {

/// In a rank: writes what it hears to stdout.
class EventWriter final : public core::RunListener {
public:
    void on_worker_start(std::size_t rank, int pid) override;
    /// Some of the steps are enough for a progress line.
    void on_step(std::size_t epoch, std::size_t step, std::size_t steps,
                 std::size_t images) override;
    void on_epoch(std::size_t epoch, const core::EpochResult& result) override;

private:
    std::chrono::steady_clock::time_point last_;
};

/// In rank 0: what came out.
void write_result(const nlohmann::ordered_json& result);
/// In a rank: why it ended.
void write_failure(const core::Error& error);

/// In the program that had the ranks started.
class EventReader {
public:
    /// `listener` outlives it.
    explicit EventReader(core::RunListener& listener) : listener_(listener) {}

    /// Adds what came, and tells the listener of each line that is complete.
    void add(std::string_view bytes);

    [[nodiscard]] std::size_t started() const { return started_; }
    /// What rank 0 has written, as JSON; none until it has.
    [[nodiscard]] const std::optional<std::string>& result() const { return result_; }
    /// The failure to tell, if there was one: a rank that was killed before one that noticed.
    [[nodiscard]] const std::optional<WorkerFailure>& failure() const { return failure_; }

private:
    void take(std::string_view line);

    core::RunListener& listener_;
    std::string text_;  // the line that has begun
    std::size_t started_ = 0;
    std::optional<std::string> result_;
    std::optional<WorkerFailure> failure_;
};

}  // namespace dp::multiproc
