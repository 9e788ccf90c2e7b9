#include "experiments/predict/predict.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/predict/calibration.hpp"
#include "experiments/report/predictions.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/json.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments::predict {

using namespace analysis;

namespace {

using core::Error;
using core::ExitCode;
using statistics::Predictor;

/// Those of the modes asked for; without any, of all.
std::vector<ModeModels> chosen_models(const Analysis& analysis, const Request& request) {
    if (analysis.models.empty()) {
        throw Error(ExitCode::kUsage, "the results hold no mode that exchanges: measure --mode {}",
                    core::join(modes_that(&Mode::exchanges), ","));
    }
    if (request.modes.empty()) return analysis.models;
    std::vector<ModeModels> chosen;
    for (const std::string& mode : request.modes) {
        const std::size_t others = chosen.size();
        for (const ModeModels& models : analysis.models) {
            if (mode_of(models.design).name == mode) chosen.push_back(models);
        }
        if (chosen.size() == others) {
            throw Error(ExitCode::kUsage, "--mode {}: the results hold no such runs that exchange",
                        mode);
        }
    }
    return chosen;
}

void check_reach(std::size_t workers, const Predictor& predictor, bool far) {
    if (workers <= predictor.largest()) {
        throw Error(ExitCode::kUsage,
                    "-n {}: up to N = {} it was measured: ask for more, or read the report",
                    workers, predictor.largest());
    }
    if (workers > predictor.reach() && !far) {
        throw Error(ExitCode::kUsage,
                    "-n {}: measurements up to N = {} carry predictions up to N = {}: ask for "
                    "those, measure on more CPUs, or add --far for a range without a middle",
                    workers, predictor.largest(), predictor.reach());
    }
}

/// In aligned columns.
std::string format_table(const report::Table& table) {
    std::vector<std::vector<std::string>> lines(1);
    for (const report::Column& column : table.columns) lines.front().push_back(column.title);
    for (const report::Row& row : table.rows) lines.push_back(row.cells);
    std::vector<std::size_t> widths(table.columns.size());
    for (const auto& cells : lines) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths[i] = std::max(widths[i], fmt::formatted_size("{:>1}", cells[i]));
        }
    }
    std::string text;
    for (const auto& cells : lines) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool left = table.columns[i].align == report::Align::kLeft;
            text += left ? fmt::format("{:<{}}", cells[i], widths[i])
                         : fmt::format("  {:>{}}", cells[i], widths[i]);
        }
        text += '\n';
    }
    return text;
}

nlohmann::ordered_json to_json(const std::vector<ModeModels>& models, const Analysis& analysis,
                               const Request& request) {
    return {{"schema", "dp_compare.predict/3"},
            {"folder", request.folder.empty() ? nlohmann::ordered_json(nullptr)
                                              : nlohmann::ordered_json(request.folder.string())},
            {"usable_cpus", analysis.results.runs.front().context.at("usable_cpus")},
            {"triad_bytes_per_second", analysis.reductions.triad_bytes_per_second},
            {"designs", json_list(models, report::predictions_json)}};
}

}  // namespace

std::vector<ModeModels> make_predictions(const Analysis& analysis, const Request& request) {
    std::vector<ModeModels> all = chosen_models(analysis, request);
    for (ModeModels& models : all) {
        if (!models.predictor || request.workers.empty()) continue;
        models.predictions.clear();
        for (const std::size_t workers : request.workers) {
            check_reach(workers, *models.predictor, request.far);
            models.predictions.push_back(models.predictor->predict(workers));
        }
    }
    return all;
}

std::string format_predictions(const std::vector<ModeModels>& models, const Analysis& analysis) {
    const report::Table table = report::predictions_table(models);
    std::string text;
    if (!table.rows.empty()) text = fmt::format("{}\n{}.\n\n", format_table(table), table.caption);
    for (const report::Text& note : report::prediction_notes(models, analysis).items) {
        text += note.spans.front().text + "\n";
    }
    text.pop_back();
    return text;
}

void run_predict(const Request& request) {
    const Analysis analysis = request.folder.empty() ? calibrate(request) : analyse(request.folder);
    const std::vector<ModeModels> models = make_predictions(analysis, request);
    print_line(format_predictions(models, analysis));
    if (!request.json.empty()) write_json(request.json, to_json(models, analysis, request));
    if (std::ranges::none_of(models,
                             [](const ModeModels& each) { return each.predictor.has_value(); })) {
        throw Error(ExitCode::kUsage, "nothing can be predicted from these results: {}",
                    models.front().predictor.reason());
    }
}

}  // namespace dp::experiments::predict
