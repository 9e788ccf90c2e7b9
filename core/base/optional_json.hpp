// std::optional in JSON documents: null where there is no value.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

template <typename T>
struct nlohmann::adl_serializer<std::optional<T>> {
    static void to_json(auto& json, const std::optional<T>& value) {
        if (value) {
            json = *value;
        } else {
            json = nullptr;
        }
    }
    static void from_json(const auto& json, std::optional<T>& value) {
        value.reset();
        if (!json.is_null()) json.get_to(value.emplace());
    }
};
