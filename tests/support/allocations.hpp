// Counts calls of operator new in the test program, for tests that a hot path makes none.
#pragma once

#include <cstddef>

namespace dp::tests {

/// The calls of operator new by the calling thread so far.
[[nodiscard]] std::size_t allocation_count() noexcept;

}  // namespace dp::tests
