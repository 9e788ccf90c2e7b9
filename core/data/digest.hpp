// Whether two processes have read the same data.
#pragma once

#include <cstdint>

#include "core/data/dataset.hpp"

namespace dp::core {

/// A number that follows from every pixel and label of `data`; not from where they were read.
std::uint64_t digest(const Dataset& data);

}  // namespace dp::core
