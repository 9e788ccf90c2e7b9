// Numbers as a reader wants them. Independent of the locale.
#pragma once

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments {

/// 1147914 as "1,147,914", in every locale.
std::string with_separators(std::size_t number);

/// Returns "12,345" of 12345.4: rounded to a whole number.
std::string count(double value);
/// Returns "97.3 %" of the share 0.973.
std::string percent(double share, int decimals = 1);
/// Returns "1.23 s", "45.6 ms" or "7.89 µs": three digits, more from 1,000 s on.
std::string seconds(double value);
/// Returns three significant digits, from 1,000 on a whole number with separators, below 1e-4 with
/// an exponent.
std::string number(double value);
/// Returns "4.59 MB" or "1.20 GB": powers of ten.
std::string bytes(double value);
/// What a median's interval is called: "range" of 2 to 5 samples, "96.9 % interval" of 6; of one
/// sample "", since it has none.
std::string interval_name(std::size_t samples);

/// Returns "1.85 [1.80, 1.90]", `format` writing each number, or without an interval the median
/// alone.
std::string with_interval(const statistics::Summary& summary, const auto& format) {
    const std::string text = format(summary.median);
    if (!summary.interval) return text;
    return fmt::format("{} [{}, {}]", text, format(summary.interval->low),
                       format(summary.interval->high));
}
/// The same with as many decimals.
std::string with_interval(const statistics::Summary& summary, int decimals);
/// Returns the same in percent, "92 % [90, 95]", without decimals.
std::string percent_with_interval(const statistics::Summary& summary);

}  // namespace dp::experiments
