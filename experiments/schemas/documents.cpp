#include "experiments/schemas/documents.hpp"

#include <sstream>

#include <fmt/format.h>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>

#include "core/base/join.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/results/runs_csv.hpp"
#include "experiments/results/trace_file.hpp"

namespace dp::experiments::schemas {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    boost::split(cells, line, boost::is_any_of("|"));
    for (std::string& cell : cells) boost::trim(cell);
    return cells;
}

std::string type_of(const Setting& row) {
    const std::string null = row.nullable ? "?" : "";
    if (row.words != nullptr) return core::join(row.words(), ",") + null;
    switch (row.kind) {
        case ValueKind::kSwitch:
            return "boolean" + null;
        case ValueKind::kWhole:
            return fmt::format("integer{} >={}", null, row.low);
        case ValueKind::kNumber:
            return fmt::format("number{} >={}", null, row.low);
        default:
            return "string" + null;
    }
}

std::string meaning_of(const Setting& row) {
    std::string text(row.meaning);
    if (!row.option.empty()) text += fmt::format(", `{}`", row.option);
    if (row.words != nullptr) text += fmt::format(": {}", row.choices());
    if (row.nullable) text += "; null without";
    return text;
}

void add_setting(const std::string& path, const Setting& row, std::vector<Field>& fields) {
    fields.push_back({fmt::format("{}.{}", path, row.name),
                      type_of(row),
                      std::string(row.unit),
                      meaning_of(row),
                      {}});
}

/// `type` is of the values that are summarised.
void add_summary(const std::vector<std::string>& cells, const std::string& type,
                 std::vector<Field>& fields) {
    const std::string &path = cells.at(0), &unit = cells.at(2);
    fields.push_back({path, cells.at(1).starts_with("summary?") ? "object?" : "object", unit,
                      cells.at(3) + "; a summary"});
    const auto add = [&](const char* name, const std::string& of, const std::string& in,
                         const char* meaning) {
        fields.push_back({path + name, of, in, meaning, /*usual=*/true});
    };
    add(".n", "count", "", "repetitions");
    add(".median", type, unit, "of the repetitions");
    add(".minimum", type, unit, "of the repetitions");
    add(".maximum", type, unit, "of the repetitions");
    add(".interval[]", "number []2?", unit,
        "of the median, low and high: the range of fewer than six; null with one");
    add(".coverage", "share?", "", "probability that such an interval holds the true median");
}

void add_line(const std::string& line, Document& document) {
    const std::string path = line.substr(0, line.find(' '));
    if (line.starts_with("### ")) {
        document.fields.push_back({line, {}, {}, {}, {}});
    } else if (line.ends_with(" @settings")) {
        for (const Setting& row : settings()) add_setting(path, row, document.fields);
    } else if (line.ends_with(" @trace")) {
        for (const auto name : kTraceSettings) {
            add_setting(path, *find_setting(name), document.fields);
        }
    } else if (path == "also") {
        const std::size_t bar = line.find('|');
        document.also.emplace_back(boost::trim_copy(line.substr(4, bar - 4)), line.substr(bar + 1));
    } else {
        std::vector<std::string> cells = cells_of(line);
        if (cells.at(1).starts_with("summary")) {
            return add_summary(cells, cells.at(1).substr(cells.at(1).find(' ') + 1),
                               document.fields);
        }
        document.fields.push_back({cells.at(0), cells.at(1), cells.at(2), cells.at(3), {}});
    }
}

constexpr const char* kHeader = "| {} | unit | meaning |\n|---|---|---|\n";

template <typename Row>
std::string table_of(std::span<const CsvColumn<Row>> columns) {
    std::string text = fmt::format(kHeader, "column");
    for (const auto& column : columns) {
        text += fmt::format("| `{}` | {} | {} |\n", column.name, column.unit, column.meaning);
    }
    return text;
}

}  // namespace

Document read_document(std::string_view name) {
    const FieldsText& found =
        core::find_named(fields_texts(), name, "'{}' is no kind of file: choose one of {}");
    std::istringstream lines{std::string(found.text)};
    std::string line;
    std::getline(lines, line);
    const std::vector<std::string> head = cells_of(line);
    Document document{found.name, head.at(0), head.at(1), {}, {}};
    while (std::getline(lines, line)) {
        if (!line.empty()) add_line(line, document);
    }
    return document;
}

std::string fields_text(std::string_view name) {
    if (name == kRunsCsv) return table_of(runs_csv_columns());
    if (name == kEpochsCsv) return table_of(epochs_csv_columns());
    std::string text;
    bool in_table = false;
    for (const Field& field : read_document(name).fields) {
        if (field.usual) continue;
        const bool heading = field.path.starts_with('#');
        if (heading) {
            text += fmt::format("{}{}\n\n", text.empty() ? "" : "\n", field.path);
        } else {
            if (!in_table) text += fmt::format(kHeader, "field");
            text += fmt::format("| `{}` | {} | {} |\n", field.path, field.unit, field.meaning);
        }
        in_table = !heading;
    }
    return text;
}

}  // namespace dp::experiments::schemas
