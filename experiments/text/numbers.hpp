// Numbers as a reader wants them. Independent of the locale.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

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
/// Returns "1.85 [1.80, 1.90]", or without an interval the value alone.
std::string with_interval(double value, const std::optional<statistics::Interval>& interval,
                          int decimals = 2);
/// Returns the same in percent, "92 % [90, 95]", without decimals.
std::string percent_with_interval(double share,
                                  const std::optional<statistics::Interval>& interval);

}  // namespace dp::experiments
