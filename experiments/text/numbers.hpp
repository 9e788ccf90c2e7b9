// Numbers as a reader wants them. Independent of the locale.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments {

/// 1147914 as "1,147,914", in every locale.
std::string with_separators(std::size_t number);

/// "12,345", rounded.
std::string count(double value);
/// "97.3 %" of a share of 1.
std::string percent(double share, int decimals = 1);
/// "1.23 s", "45.6 ms", "7.89 µs": three digits.
std::string seconds(double value);
/// Three significant digits, never an exponent between 1e-3 and 1e6.
std::string number(double value);
/// "4.59 MB", "1.20 GB": powers of ten.
std::string bytes(double value);
/// "1.85 [1.80, 1.90]"; without an interval the value alone.
std::string with_interval(double value, const std::optional<statistics::Interval>& interval,
                          int decimals = 2);
/// The same in percent: "92 % [90, 95]".
std::string percent_with_interval(double share,
                                  const std::optional<statistics::Interval>& interval);

}  // namespace dp::experiments
