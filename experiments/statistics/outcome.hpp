// What a calculation yields, or why it refuses: a value, since a report prints the reason where the
// figure would have stood.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {

/// A T, or the reason why there is none, as the end of a sentence: "needs 3 ..., has 2".
template <typename T>
class Outcome {
public:
    Outcome(T value) : value_(std::move(value)) {}  // NOLINT: converts as a std::optional does

    static Outcome refused(std::string reason) {
        Outcome outcome;
        outcome.reason_ = std::move(reason);
        return outcome;
    }

    [[nodiscard]] bool has_value() const { return value_.has_value(); }
    explicit operator bool() const { return has_value(); }
    /// Requires a value.
    const T& operator*() const {
        DP_CHECK(reason_, ==, std::string());
        return *value_;
    }
    const T* operator->() const { return &**this; }
    /// Empty where there is a value.
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    Outcome() = default;

    std::optional<T> value_;
    std::string reason_;
};

}  // namespace dp::experiments::statistics
