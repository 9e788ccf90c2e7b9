#include "experiments/text/numbers.hpp"

#include <cmath>

namespace dp::experiments {
namespace {

/// Decimals that leave three significant digits, of a value below 1000.
int decimals_of(double value) {
    const double size = std::abs(value);
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

}  // namespace

std::string with_separators(std::size_t number) {
    std::string digits = fmt::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

std::string count(double value) {
    const double size = std::round(std::abs(value));
    return (value < 0.0 && size > 0.0 ? "-" : "") + with_separators(static_cast<std::size_t>(size));
}

std::string percent(double share, int decimals) {
    return fmt::format("{:.{}f} %", 100.0 * share, decimals);
}

std::string seconds(double value) {
    const double size = std::abs(value);
    if (size == 0.0) return "0 s";
    if (size < 0.9995e-3)
        return fmt::format("{:.{}f} \u00b5s", value * 1e6, decimals_of(value * 1e6));
    if (size < 0.9995) return fmt::format("{:.{}f} ms", value * 1e3, decimals_of(value * 1e3));
    return fmt::format("{:.{}f} s", value, decimals_of(value));
}

std::string number(double value) {
    const double size = std::abs(value);
    if (size >= 999.5) return count(value);
    if (size >= 0.995 || size == 0.0) return fmt::format("{:.{}f}", value, decimals_of(value));
    return fmt::format("{:.3g}", value);
}

std::string bytes(double value) {
    const double size = std::abs(value);
    if (size >= 0.9995e9) return fmt::format("{:.{}f} GB", value / 1e9, decimals_of(value / 1e9));
    if (size >= 0.9995e6) return fmt::format("{:.{}f} MB", value / 1e6, decimals_of(value / 1e6));
    if (size >= 0.9995e3) return fmt::format("{:.{}f} kB", value / 1e3, decimals_of(value / 1e3));
    return fmt::format("{:.0f} B", value);
}

std::string interval_name(std::size_t samples) {
    if (samples < 2) return "";
    if (samples < statistics::kFewestForInterval) return "range";
    return percent(statistics::order_interval(samples).coverage) + " interval";
}

std::string with_interval(const statistics::Summary& summary, int decimals) {
    return with_interval(
        summary, [decimals](double value) { return fmt::format("{:.{}f}", value, decimals); });
}

std::string percent_with_interval(const statistics::Summary& summary) {
    const std::string text = percent(summary.median, 0);
    if (!summary.interval) return text;
    return fmt::format("{} [{:.0f}, {:.0f}]", text, 100.0 * summary.interval->low,
                       100.0 * summary.interval->high);
}

}  // namespace dp::experiments
