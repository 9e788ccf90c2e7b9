// A part of a flat block.
#pragma once

#include <cstddef>

namespace dp::core {

/// Floats [offset, offset + size) of a flat block.
struct Range {
    std::size_t offset = 0;
    std::size_t size = 0;
    friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace dp::core
