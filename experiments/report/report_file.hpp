// Writing a text file whole.
#pragma once

#include <filesystem>
#include <string_view>

namespace dp::experiments::report {

/// Replaces `file`, whole or not at all. Throws Error(kData).
void write_text(const std::filesystem::path& file, std::string_view text);

}  // namespace dp::experiments::report
