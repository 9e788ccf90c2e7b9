// What tests of mode mpi share: whether MPI is there, and how its runs are started.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace dp::tests {

using Words = std::vector<std::string>;

// So that the tests run as root too.
inline const Words kAllowed{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
inline const Words kSmall{"--epochs",     "1", "--steps", "3",
                          "--batch-size", "8", "--model", "simple_cnn"};

/// False, with a message, where MPI is missing.
inline bool has_mpi() {
    const bool built = std::filesystem::exists(program_path().parent_path() / "libdp_mpi.so");
    const bool installed = std::system("command -v mpirun > /dev/null") == 0;
    if (!built || !installed) WARN("skipped: install openmpi-bin and libopenmpi-dev, build again");
    return built && installed;
}

inline Words join(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

/// Arguments of mpirun for two ranks, of which the second one runs `other`, words of the shell; the
/// first runs what follows, which is "$@" in `other`. A rank asks for its number, since mpirun of
/// Open MPI 5.0.7 ends by a signal where it is given two programs.
inline Words two_ranks(const std::string& other) {
    const std::string choose = "[ $OMPI_COMM_WORLD_RANK = 0 ] || exec " + other + "; exec \"$@\"";
    return {"--oversubscribe", "-n", "2", "sh", "-c", choose, "sh"};
}

inline Words training(const Words& more) { return join(more, kSmall); }

/// `mpirun -n ranks dp_compare arguments`.
inline ProgramResult mpirun(int ranks, const Words& arguments,
                            const Words& environment = kAllowed) {
    return Program("mpirun",
                   join({"--oversubscribe", "--bind-to", "none", "-n", std::to_string(ranks),
                         program_path().string()},
                        arguments),
                   environment)
        .finish();
}

/// How often `text` holds `part`.
inline std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
}

}  // namespace dp::tests
