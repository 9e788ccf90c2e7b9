// Counts calls of operator new in the test program, for tests that a hot path makes none.
#pragma once

#include <cstddef>

namespace dp::tests {

/// The calls of operator new by the calling thread so far, without those that oneDNN makes while it
/// executes a primitive.
[[nodiscard]] std::size_t allocation_count() noexcept;
/// Those: small objects of its own, freed at once, which no caller can avoid.
[[nodiscard]] std::size_t onednn_allocation_count() noexcept;

}  // namespace dp::tests
