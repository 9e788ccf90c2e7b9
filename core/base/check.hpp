// DP_CHECK: a broken invariant is a bug of ours. It throws CheckFailure with both operands and the
// place.
#pragma once

#include <stdexcept>

#include <fmt/format.h>

namespace dp::core {

class CheckFailure : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

namespace detail {

template <typename Left, typename Right>
[[noreturn]] void check_failed(const char* file, int line, const char* text, const Left& left,
                               const Right& right) {
    throw CheckFailure(
        fmt::format("{}:{}: check failed: {} (left {}, right {})", file, line, text, left, right));
}

}  // namespace detail
}  // namespace dp::core

/// DP_CHECK(a, ==, b): compares once, prints both operands when the comparison is false.
#define DP_CHECK(left, op, right)                                                          \
    do {                                                                                   \
        const auto& dp_left = (left);                                                      \
        const auto& dp_right = (right);                                                    \
        if (!(dp_left op dp_right)) {                                                      \
            ::dp::core::detail::check_failed(__FILE__, __LINE__, #left " " #op " " #right, \
                                             dp_left, dp_right);                           \
        }                                                                                  \
    } while (false)
