// A JSON document as a file.
#pragma once

#include <filesystem>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

/// Indented, whole or not at all. Throws Error(kData).
void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& document);

}  // namespace dp::experiments
