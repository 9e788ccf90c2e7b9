// The arguments of a run that takes no time.
#pragma once

#include <string>
#include <vector>

namespace dp::tests {

/// A run of a few small steps, plus `more`.
inline std::vector<std::string> small_run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--epochs", "2", "--steps", "2", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace dp::tests
