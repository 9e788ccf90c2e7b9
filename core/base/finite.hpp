// Whether floats are finite, at the cost of two integer operations each, in loops that vectorise.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace dp::core {

/// The largest magnitude of the values noted, as the bits of a float: they grow with it, and those
/// of an infinity or a NaN are larger than all others.
class LargestMagnitude {
public:
    void note(float value) {
        bits_ = std::max(bits_, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
    }
    [[nodiscard]] bool is_finite() const { return bits_ < 0x7f800000U; }

private:
    std::uint32_t bits_ = 0;
};

}  // namespace dp::core
