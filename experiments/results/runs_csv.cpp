#include "experiments/results/runs_csv.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "experiments/text/csv.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

using Json = nlohmann::ordered_json;

std::string cell_of(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return csv_cell(value.get<std::string>());
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        return std::isfinite(number) ? fmt::to_string(number) : std::string();
    }
    return value.dump();
}

template <typename Row>
Csv table_of(std::span<const CsvColumn<Row>> columns) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.emplace_back(column.name);
    return Csv(names, "\r\n");
}

}  // namespace

void write_runs_csv(const std::filesystem::path& folder, const ResultsFolder& results) {
    Csv runs = table_of(runs_csv_columns());
    for (const auto* group : {&results.runs, &results.failed}) {
        for (const Run& run : *group) {
            std::vector<std::string> cells;
            for (const CsvColumn<Run>& column : runs_csv_columns()) {
                cells.push_back(!run.failure || column.always ? cell_of(column.value(run)) : "");
            }
            runs.add_row(cells);
        }
    }
    Csv epochs = table_of(epochs_csv_columns());
    for (const Run& run : results.runs) {
        for (std::size_t epoch = 0; epoch < run.result.epochs.size(); ++epoch) {
            for (const core::WorkerReport& worker : run.result.workers) {
                const EpochRow row{&run, &worker, epoch, worker.epochs[epoch],
                                   run.result.epochs[epoch]};
                std::vector<std::string> cells;
                for (const CsvColumn<EpochRow>& column : epochs_csv_columns()) {
                    cells.push_back(cell_of(column.value(row)));
                }
                epochs.add_row(cells);
            }
        }
    }
    write_text(folder / kRunsCsv, runs.text());
    write_text(folder / kEpochsCsv, epochs.text());
}

}  // namespace dp::experiments
