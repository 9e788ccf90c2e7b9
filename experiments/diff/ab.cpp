#include "experiments/diff/ab.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/base/random.hpp"
#include "experiments/diff/diff.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments::diff {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;

constexpr std::array kSides{"a", "b"};

/// Waits for the program's end, and asks for it when the user wants to stop.
int wait_for(pid_t child) {
    int status = 0;
    bool asked = false;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (InterruptScope::received() && !asked) {
            kill(child, SIGTERM);
            asked = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return status;
}

/// Its results go to files, and what it prints beside them nowhere, but for its complaints.
void run(std::vector<std::string> words) {
    const std::string text = core::join(words, " ");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = -1;
    const int refused =
        posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) {
        throw Error(ExitCode::kUsage, "{} cannot be started ({}): name a dp_compare program",
                    words[0], std::strerror(refused));
    }
    const int status = wait_for(child);
    InterruptScope::check("stopped before all pairs were measured: start again with --force");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    throw Error(ExitCode::kRunFailed, "{} {}: {}", text,
                WIFEXITED(status) ? fmt::format("exited with {}", WEXITSTATUS(status))
                                  : fmt::format("was ended by signal {}", WTERMSIG(status)),
                "see its message above");
}

}  // namespace

std::vector<std::size_t> first_sides(std::size_t pairs, std::uint64_t seed) {
    const core::RandomStream random(seed, core::RandomUse::kSweepOrder);
    std::vector<std::size_t> sides;
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        sides.push_back(pair % 2 == 0 ? random.below(pair, 2) : 1 - sides.back());
    }
    return sides;
}

void run_ab(const AbRequest& request) {
    prepare_out(request.out, request.force,
                [](std::string_view name) { return name == kSides[0] || name == kSides[1]; });
    Request comparison{{}, {}, request.terms, request.json};
    comparison.terms.design = Design::kPairs;
    const InterruptScope interrupts;
    const std::vector<std::size_t> first = first_sides(request.pairs, request.seed);
    for (std::size_t pair = 0; pair < request.pairs; ++pair) {
        for (const std::size_t side : {first[pair], 1 - first[pair]}) {
            const fs::path folder = request.out / kSides.at(side) / fmt::format("{:03}", pair + 1);
            print_line(fmt::format("pair {:>3}/{}  {}", pair + 1, request.pairs, kSides.at(side)));
            std::vector<std::string> words = request.commands.at(side);
            for (const std::string& word :
                 {std::string("--reps"), std::string("1"), std::string("--no-report"),
                  std::string("--quiet"), std::string("--out"), folder.string()}) {
                words.push_back(word);
            }
            run(std::move(words));
            (side == 0 ? comparison.before : comparison.after).push_back(folder);
        }
    }
    print_line("");
    compare_and_tell(comparison);
}

}  // namespace dp::experiments::diff
