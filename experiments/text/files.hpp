// Text and JSON files: written whole or not at all, read without trust.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

/// Replaces `file`, in a folder that is made if need be. Throws Error(kData).
void write_text(const std::filesystem::path& file, std::string_view text);

/// Writes `document` as write_text() does, indented, with a newline at its end.
void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& document);

/// Reads a file that this program wrote, or that claims so; one whose name ends in .gz is unpacked.
/// Throws Error(kData) that names the file
/// when it cannot be read or is no JSON, and what is wrong with it when it is larger or nested
/// deeper than any of ours, or holds a number above 1e15 or, but for clocks and differences of
/// waiting, below 0, as none of ours does.
nlohmann::ordered_json read_json(const std::filesystem::path& file);

}  // namespace dp::experiments
