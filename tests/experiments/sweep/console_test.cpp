// What a user sees at a terminal of a few columns.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"

using Catch::Contains;
using namespace dp;

namespace {

/// Runs a shell's `command`, in which $0 is dp_compare, and returns all that a terminal of
/// `columns` got to show. The command must succeed.
std::string shown_at(unsigned short columns, const std::string& command) {
    const winsize size{24, columns, 0, 0};
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    REQUIRE(child >= 0);
    if (child == 0) {
        const std::string program = tests::program_path();
        execl("/bin/sh", "sh", "-c", command.c_str(), program.c_str(), nullptr);
        _exit(127);
    }
    std::string shown;
    std::array<char, 4096> part{};
    for (ssize_t count = 0; (count = read(terminal, part.data(), part.size())) > 0;) {
        shown.append(part.data(), static_cast<std::size_t>(count));
    }
    close(terminal);
    int status = -1;
    waitpid(child, &status, 0);
    INFO(shown);
    CHECK(status == 0);
    return shown;
}

struct Lines {
    std::vector<std::string> progress;  // those that were replaced
    std::vector<std::string> kept;
};

/// A terminal's lines: "\r" begins a line anew, "\033[K" clears what follows.
Lines lines_of(const std::string& shown) {
    Lines lines;
    std::string line;
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const bool ends = shown.compare(i, 2, "\r\n") == 0;
        if (ends || shown[i] == '\r') {
            if (!line.empty()) (ends ? lines.kept : lines.progress).push_back(line);
            line.clear();
            if (ends) ++i;
        } else if (shown.compare(i, 3, "\033[K") == 0) {
            i += 2;
        } else {
            line += shown[i];
        }
    }
    return lines;
}

bool any_holds(const std::vector<std::string>& lines, const std::string& text) {
    for (const std::string& line : lines) {
        if (line.find(text) != std::string::npos) return true;
    }
    return false;
}

const std::string kSweep =
    "exec $0 --mode serial,threads -n 1,2 --epochs 1 --steps 12 --batch-size 64";

}  // namespace

TEST_CASE("the progress line of a sweep fits a narrow terminal and says what runs") {
    const Lines lines = lines_of(shown_at(30, kSweep));
    REQUIRE_FALSE(lines.progress.empty());
    for (const std::string& line : lines.progress) {
        INFO(line);
        CHECK(line.size() < 30);
    }
    CHECK(any_holds(lines.progress, "warm-up, threads, N = 2"));
    CHECK(any_holds(lines.progress, "run 1/3, serial, N = 1"));
    CHECK(any_holds(lines.progress, "run 3/3, threads, N = 2"));
}

TEST_CASE("a sweep without repetitions says how far it is and how long it still takes") {
    const Lines lines =
        lines_of(shown_at(200, kSweep + " --inject delay:rank=0,ms=50,phase=backward"));
    CHECK(any_holds(lines.kept, "run       1 of 3"));
    CHECK(any_holds(lines.kept, "run       3 of 3, "));
    CHECK(any_holds(lines.progress, "run 1/3, serial, N = 1, "));
    CHECK(any_holds(lines.progress, " left, epoch 1/1, step "));
}

TEST_CASE("the progress line is shown when only stdout goes elsewhere, and not with --quiet") {
    CHECK_THAT(shown_at(80, kSweep + " >/dev/null"), Contains("run 3/3, threads, N = 2"));
    CHECK(shown_at(80, kSweep + " --quiet >/dev/null").empty());
}

TEST_CASE("commands that measure or read for long say on a terminal what they do") {
    const Lines reductions = lines_of(shown_at(
        80, "exec $0 allreduce --mode threads -n 2 --bytes 4096,8192 --reduction in-place,tree"));
    CHECK(any_holds(reductions.progress, "all-reduce 1/4, threads in-place, N = 2, 4,096 bytes"));
    CHECK(any_holds(reductions.progress, "all-reduce 4/4, threads tree, N = 2, 8,192 bytes"));
    CHECK_FALSE(any_holds(reductions.kept, "all-reduce"));

    const tests::TemporaryFolder folder;
    const std::string out = " " + (folder.path() / "out").string();
    const std::string sweep = kSweep + " --no-report --quiet --out" + out + " >/dev/null";
    CHECK(shown_at(80, sweep).empty());
    const Lines report = lines_of(shown_at(200, "exec $0 report" + out + " >/dev/null"));
    CHECK(any_holds(report.progress, "report, reading" + out + ", drawing its plots"));

    const Lines prediction =
        lines_of(shown_at(200, "exec $0 predict --mode threads --batch-size 8 >/dev/null"));
    CHECK(any_holds(prediction.progress, "warm-up, threads, N = "));
    CHECK(any_holds(prediction.progress, "run 10/"));
}

TEST_CASE("a terminal's prose and help keep their words whole") {
    for (const char* arguments : {"--dry-run --mode threads -n 2 --bucket-kib 64", "--help"}) {
        const Lines lines = lines_of(shown_at(60, "exec $0 " + std::string(arguments)));
        for (const std::string& line : lines.kept) {
            INFO(line);
            CHECK(line.size() <= 60);
        }
        CHECK(any_holds(lines.kept, "update"));
    }
}
