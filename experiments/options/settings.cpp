#include "experiments/options/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/data/dataset_table.hpp"
#include "core/data/digest.hpp"
#include "experiments/options/parse_number.hpp"
#include "experiments/options/setting_values.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

/// What stands behind an option, as JSON; text that is no number stays text, which is refused.
Json value_from_text(const Setting& row, const std::string& text) {
    switch (row.kind) {
        case ValueKind::kSwitch:
            if (row.flag) return !row.write({}).get<bool>();
            if (text == "on" || text == "off") return text == "on";
            return text;
        case ValueKind::kWhole:
            if (const auto value = parse_number<std::uint64_t>(text)) return *value;
            return text;
        case ValueKind::kNumber:
            if (const auto value = parse_number<double>(text)) return *value;
            return text;
        default:
            return text;
    }
}

/// A value as its option has it.
std::string text_of(const Json& value) {
    if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

DataFacts::DataFacts(const core::Dataset& data)
    : source(data.source), training_images(data.train.size()), test_images(data.test.size()) {
    for (const core::ImageSet* images : {&data.train, &data.test}) {
        bytes += images->pixels.size() + images->labels.size();
    }
    digest = fmt::format("{:016x}", core::digest(data));
}

void to_json(Json& json, const RunSettings& run) {
    json = Json::object();
    for (const Setting& row : settings()) json[row.name] = row.write(run);
}

void from_json(const Json& json, RunSettings& run) {
    run = RunSettings();
    for (const Setting& row : settings()) {
        const auto found = json.find(row.name);
        if (found == json.end() || row.read == nullptr) continue;
        try {
            row.read(row, *found, run);
        } catch (const Complaint& complaint) {
            throw Error(ExitCode::kData, "config.{} {} {}", row.name, found->dump(),
                        complaint.text);
        } catch (const Error& error) {
            throw Error(ExitCode::kData, "config.{}: {}", row.name, error.what());
        }
    }
}

const Setting* find_setting(std::string_view name) {
    const auto found = std::ranges::find(settings(), name, &Setting::name);
    return found == settings().end() ? nullptr : &*found;
}

void require_number(const Setting& row, const Json& value, bool whole) {
    const char* const kind = whole ? "whole number" : "number";
    const std::string range = row.high < 1e30
                                  ? fmt::format("from {:g} to {:.15g}", row.low, row.high)
                                  : fmt::format("of {:g} or more", row.low);
    const bool right_type = whole ? value.is_number_integer() : value.is_number();
    // A comparison with nan is false.
    if (right_type && value.get<double>() >= row.low && value.get<double>() <= row.high) return;
    throw Complaint{fmt::format("is not a {} {}", kind, range)};
}

std::string help_of(const Setting& row) {
    std::string text(row.help.empty() ? row.meaning : row.help);
    std::erase(text, '`');
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    if (row.unit == "KiB" || row.unit == "s") text += fmt::format(" [{}]", row.unit);
    if (row.choices != nullptr) text += ": " + row.choices();
    if (!row.usual.empty()) text += fmt::format(" (default: {})", row.usual);
    return text;
}

std::string usual_text(const Setting& row) {
    const Json value = row.write({});
    return row.flag || value.is_null() || !row.usual.empty() ? "" : text_of(value);
}

void set_from_text(const Setting& row, const std::string& text, RunSettings& run) {
    try {
        row.read(row, value_from_text(row, text), run);
    } catch (const Complaint& complaint) {
        throw Error(ExitCode::kUsage, "{} '{}' {}", row.option, text, complaint.text);
    }
}

RunSettings usual_settings(const RunSettings& run) {
    RunSettings usual;
    usual.config.mode = run.config.mode;
    usual.config.dataset = run.config.dataset;
    usual.config.model = core::find_dataset(run.config.dataset).default_model;
    usual.config.optimizer = core::OptimizerConfig::defaults(run.config.optimizer.name);
    return usual;
}

std::vector<const Setting*> changed_settings(const RunSettings& run) {
    RunSettings usual = usual_settings(run);
    usual.config.dataset = RunSettings().config.dataset;
    usual.config.optimizer.name = RunSettings().config.optimizer.name;
    std::vector<const Setting*> changed;
    for (const Setting& row : settings()) {
        if (!row.option.empty() && row.write(run) != row.write(usual)) changed.push_back(&row);
    }
    return changed;
}

std::string option_text(const Setting& row, const RunSettings& run,
                        std::string (*quote)(std::string_view text)) {
    if (row.flag) return std::string(row.option);
    const std::string value = text_of(row.write(run));
    return fmt::format("{} {}", row.option, quote == nullptr ? value : quote(value));
}

}  // namespace dp::experiments
