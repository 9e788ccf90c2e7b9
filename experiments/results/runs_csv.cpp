#include "experiments/results/runs_csv.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "experiments/text/csv.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

using Json = nlohmann::ordered_json;

bool is_complete(const StoredRun& run) { return run.status == "complete"; }

std::string cell_of(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return csv_cell(value.get<std::string>());
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        return std::isfinite(number) ? fmt::to_string(number) : std::string();
    }
    return value.dump();
}

class Table {
public:
    template <typename Row>
    explicit Table(std::span<const CsvColumn<Row>> columns) {
        for (const auto& column : columns) add(std::string(column.name));
        end_line();
    }

    void add(const std::string& cell) {
        if (!line_starts_) text_ += ',';
        line_starts_ = false;
        text_ += cell;
    }
    void end_line() {
        text_ += "\r\n";
        line_starts_ = true;
    }

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
    bool line_starts_ = true;
};

}  // namespace

void write_runs_csv(const std::filesystem::path& folder, const ResultsFolder& results) {
    Table runs(runs_csv_columns());
    for (const auto* group : {&results.runs, &results.failed}) {
        for (const StoredRun& run : *group) {
            for (const CsvColumn<StoredRun>& column : runs_csv_columns()) {
                runs.add(is_complete(run) || column.always ? cell_of(column.value(run)) : "");
            }
            runs.end_line();
        }
    }
    Table epochs(epochs_csv_columns());
    for (const StoredRun& run : results.runs) {
        for (std::size_t epoch = 0; epoch < run.result.epochs.size(); ++epoch) {
            for (std::size_t worker = 0; worker < run.result.workers.size(); ++worker) {
                const EpochRow row{run, worker, epoch};
                for (const CsvColumn<EpochRow>& column : epochs_csv_columns())
                    epochs.add(cell_of(column.value(row)));
                epochs.end_line();
            }
        }
    }
    write_text(folder / kRunsCsv, runs.text());
    write_text(folder / kEpochsCsv, epochs.text());
}

}  // namespace dp::experiments
