// CIFAR-10 in its binary layout: records of a label byte and a (3, 32, 32) image, in five training
// files and a test file. The returned Dataset owns its pixels.
#pragma once

#include <filesystem>

#include "core/data/dataset.hpp"

namespace dp::core {

/// Reads the set in `folder`: the batches folder itself, or one that holds `cifar-10-batches-bin`.
/// Each file is read once, in order; one with fewer than the original's 10,000 records is a subset
/// and fine. Throws Error (kData) for a folder or file that is missing or unreadable, a size that
/// is no positive multiple of a record, a label above 9. Safe from any thread.
[[nodiscard]] Dataset load_cifar10(const std::filesystem::path& folder);

}  // namespace dp::core
