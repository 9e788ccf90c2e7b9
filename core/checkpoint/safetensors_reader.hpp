// Reads a safetensors header's JSON into entries: its syntax, fields and types. Whether the entries
// fit the data is parse_header's question.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/checkpoint/safetensors_header.hpp"

namespace dp::core {

/// The entries of `text` in its order. Throws Error(kData) for anything else than one object of
/// distinct tensors with dtype, shape and data_offsets, and at most one __metadata__ of strings.
[[nodiscard]] SafetensorsHeader read_entries(std::string_view text,
                                             const std::filesystem::path& file);

}  // namespace dp::core
