// The modes that a test can run in its own process with a job of its making.
#pragma once

#include <vector>

#include "experiments/modes.hpp"

namespace dp::tests {

/// All but those whose ranks a launcher starts, which begin with dp_compare's command line.
inline std::vector<experiments::Mode> forked_modes() {
    std::vector<experiments::Mode> all;
    for (const experiments::Mode& mode : experiments::modes()) {
        if (!mode.is_launched) all.push_back(mode);
    }
    return all;
}

}  // namespace dp::tests
