// The settings of a run, one row each. The table feeds the command line and its help, `config` in
// run files and back, runs.csv, the report, `diff`, reproduction and RESULTS.md with its schema: a
// new setting is its field in RunConfig (or RunSettings) and its row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "experiments/options/run_settings.hpp"

namespace dp::experiments {

/// What another value of a setting changes.
enum class Effect : unsigned { kNothing = 0, kSpeed = 1, kBits = 2, kBoth = 3 };

/// Where a setting has to be equal, or is told to differ.
enum class Compared {
    kEverywhere,  // in all runs of a report
    kInPairs,     // in runs of one mode and worker count: it follows from them, or from the machine
    kNever,       // it names the configuration, follows from other settings, or says where files go
};

enum class ValueKind { kWhole, kNumber, kSwitch, kText };

struct Setting {
    std::string_view name{};     // in JSON
    std::string_view meaning{};  // what the value is; for RESULTS.md, the schema and the help
    std::string_view unit{};     // images, s, ...; empty: none
    std::string_view title{};    // for people; empty: the report does not show it
    Effect effect = Effect::kNothing;
    Compared compared = Compared::kNever;
    int column = 0;             // place in runs.csv; 0: none
    std::string_view option{};  // "--lr"; empty: it cannot be chosen by itself
    std::string_view group = "Training";
    std::string_view value_name{};       // in the help; empty: by kind
    std::string_view usual{};            // the default, where it depends on other settings
    std::string_view help{};             // in place of `meaning`
    std::string (*choices)() = nullptr;  // end of the help: what may be chosen
    bool flag = false;                   // the option takes no value and turns the default over
    double low = 0.0;                    // of numbers
    double high = 1e9;                   // far beyond any use; products of two do not overflow

    // Filled from the type of the field.
    ValueKind kind = ValueKind::kText;
    bool nullable = false;
    std::vector<std::string_view> (*words)() = nullptr;  // the only values there are
    nlohmann::ordered_json (*write)(const RunSettings& run) = nullptr;
    void (*read)(const Setting& row, const nlohmann::ordered_json& value,
                 RunSettings& run) = nullptr;
};

[[nodiscard]] inline bool includes(Effect effect, Effect what) {
    return (static_cast<unsigned>(effect) & static_cast<unsigned>(what)) != 0;
}

/// In the order of `config`.
std::span<const Setting> settings();
/// Null when there is none of this name.
const Setting* find_setting(std::string_view name);

/// The text of the help for `row`.
std::string help_of(const Setting& row);
/// The default that the help shows; empty: none.
std::string usual_text(const Setting& row);

/// Sets the value of `row` as its option's `text` says; a flag ignores the text. Throws
/// Error(kUsage) with the option, the text and what would be right.
void set_from_text(const Setting& row, const std::string& text, RunSettings& run);

/// The settings of a run of which only mode, optimizer and data set were chosen, as `run` has them.
RunSettings usual_settings(const RunSettings& run);

/// The rows with an option whose value in `run` is not the usual one.
std::vector<const Setting*> changed_settings(const RunSettings& run);
/// "--lr 0.1", or "--augment" of a flag; `quote` is for the value.
std::string option_text(const Setting& row, const RunSettings& run,
                        std::string (*quote)(std::string_view text) = nullptr);

}  // namespace dp::experiments
