#include "experiments/options/option_values.hpp"

#include "experiments/modes.hpp"
#include "experiments/options/parse_number.hpp"

namespace dp::experiments {

std::size_t parse_workers(const std::string& text) {
    const auto value = parse_number<std::size_t>(text);
    if (value && *value >= 1 && *value <= kMaxWorkers) return *value;
    throw core::Error(core::ExitCode::kUsage,
                      "-n '{}' is not a number of workers: give whole numbers from 1 to {}, for "
                      "example -n 1,2,4",
                      text, kMaxWorkers);
}

core::StepRange parse_steps(const std::string& option, const std::string& text) {
    const std::size_t dash = text.find('-');
    const auto first = parse_number<std::size_t>(text.substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number<std::size_t>(text.substr(dash + 1));
    if (first && last && *first >= 1 && *first <= *last) return {*first, *last};
    throw core::Error(core::ExitCode::kUsage,
                      "{} '{}' is no range of steps: give the first and the last, counted from 1, "
                      "for example 11-13, or one alone",
                      option, text);
}

std::string to_text(const core::StepRange& steps) {
    return steps.first == steps.last ? fmt::to_string(steps.first)
                                     : fmt::format("{}-{}", steps.first, steps.last);
}

double parse_share(const std::string& option, const std::string& text) {
    std::string_view number = text;
    const bool percent = number.ends_with('%');
    if (percent) {
        number.remove_suffix(1);
        while (number.ends_with(' ')) number.remove_suffix(1);
    }
    const auto value = parse_number<double>(number);
    // A comparison with nan is false.
    if (value && *value >= 0.0 && *value < (percent ? 100.0 : 1.0)) {
        return percent ? *value / 100.0 : *value;
    }
    throw core::Error(core::ExitCode::kUsage,
                      "{} '{}' is no share below 1: give per cent, for example 5%, or 0.05", option,
                      text);
}

CLI::Validator number_in(double low, double high, const std::string& wanted) {
    return CLI::Validator(
        [=](std::string& text) -> std::string {
            const auto value = parse_number<double>(text);
            // A comparison with nan is false.
            if (value && *value >= low && *value <= high) return {};
            return fmt::format("'{}' is not {}", text, wanted);
        },
        "");
}

CLI::Validator whole_number(std::size_t low, std::size_t high) {
    return CLI::Validator(
        [=](std::string& text) -> std::string {
            const auto value = parse_number<std::size_t>(text);
            if (value && *value >= low && *value <= high) return {};
            return fmt::format("'{}' is not a whole number from {} to {}", text, low, high);
        },
        "");
}

}  // namespace dp::experiments
