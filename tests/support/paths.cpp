#include "tests/support/paths.hpp"

namespace dp::tests {

std::filesystem::path program_path() { return DP_PROGRAM; }
std::filesystem::path source_dir() { return DP_SOURCE_DIR; }
std::filesystem::path data_dir() { return source_dir() / "tests" / "data"; }

}  // namespace dp::tests
