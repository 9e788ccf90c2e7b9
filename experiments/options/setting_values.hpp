// How the value of a setting is read and written, by the type of its field.
#pragma once

#include <cmath>
#include <concepts>
#include <optional>
#include <type_traits>

#include "core/base/join.hpp"
#include "experiments/options/injection.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/options/settings.hpp"

namespace dp::experiments {

/// What is wrong with a value, as the rest of a sentence that begins with it: "is not on or off".
struct Complaint {
    std::string text;
};

template <typename T>
concept Choice = std::is_enum_v<T>;

template <Choice T>
constexpr const auto& rows_of() {
    if constexpr (std::same_as<T, Scaling>) {
        return kScalings;
    } else if constexpr (std::same_as<T, core::Precision>) {
        return core::kPrecisions;
    } else if constexpr (std::same_as<T, core::UpdateKind>) {
        return core::kReplicaUpdates;
    } else if constexpr (std::same_as<T, core::WaitKind>) {
        return core::kWaits;
    } else {
        static_assert(std::same_as<T, core::ConvolutionAlgorithm>);
        return core::kConvolutionAlgorithms;
    }
}

template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;

template <typename T>
nlohmann::ordered_json write_value(const T& value) {
    if constexpr (kIsOptional<T>) {
        return value ? write_value(*value) : nlohmann::ordered_json(nullptr);
    } else if constexpr (std::same_as<T, std::filesystem::path>) {
        return value.empty() ? nlohmann::ordered_json(nullptr)
                             : nlohmann::ordered_json(value.string());
    } else if constexpr (Choice<T>) {
        return core::row_of(rows_of<T>(), value).name;
    } else if constexpr (std::same_as<T, core::Delay>) {
        return to_spec(value);
    } else if constexpr (std::same_as<T, core::StepRange>) {
        return to_text(value);
    } else {
        return value;
    }
}

/// Throws Complaint unless `value` is a number within the bounds of `row`.
void require_number(const Setting& row, const nlohmann::ordered_json& value, bool whole);

template <typename T>
void read_value(const Setting& row, const nlohmann::ordered_json& value, T& field) {
    if constexpr (kIsOptional<T>) {
        if (value.is_null()) return field.reset();
        typename T::value_type inner{};
        read_value(row, value, inner);
        field = inner;
    } else if constexpr (std::same_as<T, bool>) {
        if (!value.is_boolean()) throw Complaint{"is not on or off"};
        field = value.get<bool>();
    } else if constexpr (std::is_arithmetic_v<T>) {
        require_number(row, value, std::integral<T>);
        field = value.get<T>();
    } else if constexpr (std::same_as<T, std::filesystem::path>) {
        if (!value.is_string() && !value.is_null()) throw Complaint{"is not a path"};
        field = value.is_null() ? "" : value.get<std::string>();
    } else {
        if (!value.is_string()) throw Complaint{"is not text"};
        const auto& text = value.get_ref<const std::string&>();
        if constexpr (Choice<T>) {
            const auto found = std::ranges::find(rows_of<T>(), text, &core::OptionRow<T>::name);
            if (found == rows_of<T>().end()) {
                throw Complaint{
                    fmt::format("is not known: choose one of {}", core::join(row.words()))};
            }
            field = found->value;
        } else if constexpr (std::same_as<T, core::Delay>) {
            field = parse_injection(text);
        } else if constexpr (std::same_as<T, core::StepRange>) {
            field = parse_steps(std::string(row.option), text);
        } else {
            field = text;
        }
    }
}

template <typename T>
constexpr ValueKind kind_of() {
    if constexpr (kIsOptional<T>) {
        return kind_of<typename T::value_type>();
    } else if constexpr (std::same_as<T, bool>) {
        return ValueKind::kSwitch;
    } else if constexpr (std::integral<T>) {
        return ValueKind::kWhole;
    } else {
        return std::floating_point<T> ? ValueKind::kNumber : ValueKind::kText;
    }
}

template <Choice T>
std::vector<std::string_view> words_of() {
    std::vector<std::string_view> words;
    for (const auto& row : rows_of<T>()) words.push_back(row.name);
    return words;
}

template <Choice T>
std::string choices_of() {
    return core::join(rows_of<T>(), "; ", [](const auto& row) {
        return fmt::format("{}: {}", row.name, row.description);
    });
}

/// `row` for the field that `Get` finds in a RunSettings.
template <typename Get>
constexpr Setting setting(Setting row, Get) {
    using Value = std::remove_cvref_t<decltype(Get{}(std::declval<RunSettings&>()))>;
    row.kind = kind_of<Value>();
    row.nullable = kIsOptional<Value> || std::same_as<Value, std::filesystem::path>;
    if constexpr (Choice<Value>) {
        row.words = words_of<Value>;
        row.choices = choices_of<Value>;
    }
    row.write = [](const RunSettings& run) { return write_value(Get{}(run)); };
    if constexpr (std::is_lvalue_reference_v<decltype(Get{}(std::declval<RunSettings&>()))>) {
        row.read = [](const Setting& self, const nlohmann::ordered_json& value, RunSettings& run) {
            read_value(self, value, Get{}(run));
        };
    }
    return row;
}

}  // namespace dp::experiments
