// Where the tests find what they run and read.
#pragma once

#include <filesystem>

namespace dp::tests {

/// The dp_compare that was built with the tests.
std::filesystem::path program_path();
/// The checkout.
std::filesystem::path source_dir();
/// tests/data in it.
std::filesystem::path data_dir();

}  // namespace dp::tests
