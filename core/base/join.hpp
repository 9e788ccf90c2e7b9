// Lists in messages.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace dp::core {

/// Returns `items` as text, with `separator` between them. (fmt::join raises a false warning where
/// g++ 12 optimises it.)
template <typename Items>
std::string join(const Items& items, std::string_view separator = ", ") {
    std::string text;
    for (const auto& item : items) {
        text += fmt::format("{}{}", text.empty() ? "" : separator, item);
    }
    return text;
}

}  // namespace dp::core
