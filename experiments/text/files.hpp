// Text files, written whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

/// Replaces `file`. Throws Error(kData).
void write_text(const std::filesystem::path& file, std::string_view text);

/// The same of `document`, indented.
void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& document);

}  // namespace dp::experiments
