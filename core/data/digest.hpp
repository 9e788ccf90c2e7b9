// Whether two processes have read the same data, and whether two files are the same.
#pragma once

#include <cstdint>
#include <span>

#include "core/data/dataset.hpp"

namespace dp::core {

/// A number that follows from every byte, and differs for others but by chance; no cryptographic
/// one.
std::uint64_t digest(std::span<const std::uint8_t> bytes);

/// A number that follows from every pixel and label of `data`; not from where they were read.
std::uint64_t digest(const Dataset& data);

}  // namespace dp::core
