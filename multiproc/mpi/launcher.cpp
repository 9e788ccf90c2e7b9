#include "multiproc/mpi/launcher.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>
#include <sstream>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "multiproc/mpi/events.hpp"
#include "multiproc/signal_scope.hpp"

namespace dp::multiproc {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Clock = std::chrono::steady_clock;

// The program marks oversubscribed runs itself; bound ranks would have other CPUs than the workers
// of other modes.
constexpr const char* kDefault = "mpirun --oversubscribe --bind-to none";
// What mpirun has to end its ranks: it gives them a second after SIGTERM.
constexpr auto kGrace = std::chrono::milliseconds(3500);

constexpr const char* kRootRemedy =
    "run as another user, or allow it: export OMPI_ALLOW_RUN_AS_ROOT=1 "
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or --mpi-run 'mpirun --allow-run-as-root'";

bool on_path(const std::string& name) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (access((fs::path(folder) / name).c_str(), X_OK) == 0) return true;
    }
    return false;
}

/// A pipe whose read end does not block.
class Pipe {
public:
    Pipe() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) {
            throw Error(ExitCode::kResources, "cannot make a pipe ({}): close other programs",
                        std::strerror(errno));
        }
        fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    }
    ~Pipe() {
        close_write_end();
        close(ends_[0]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] int write_end() const { return ends_[1]; }
    void close_write_end() {
        if (ends_[1] >= 0) close(ends_[1]);
        ends_[1] = -1;
    }
    /// All that is there.
    [[nodiscard]] std::string read_some() const {
        std::string all;
        std::array<char, 65536> part{};
        ssize_t count = 0;
        while ((count = read(ends_[0], part.data(), part.size())) > 0) {
            all.append(part.data(), static_cast<std::size_t>(count));
        }
        return all;
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

/// mpirun's own words as the error to tell.
Error translate(const std::string& said, const Launch& launch, int status) {
    const std::string shown = launch.command.empty() ? kDefault : launch.command;
    std::smatch match;
    static const std::regex killed(
        R"(process rank (\d+) with PID (\d+) on node (\S+) exited on signal (\d+))");
    if (std::regex_search(said, match, killed)) {
        return {ExitCode::kWorkerDied,
                "process {} on {} was killed by signal {}: the run has ended and no worker is left "
                "running",
                match[1].str(), match[3].str(), match[4].str()};
    }
    if (said.find("not enough slots") != std::string::npos) {
        return {ExitCode::kUsage,
                "'{}' has too few slots for {} processes: give the hosts more (slots=N in the "
                "hostfile), choose a smaller -n, or let them share CPUs: --mpi-run '{} "
                "--oversubscribe'",
                shown, launch.processes, shown};
    }
    if (said.find("run as root") != std::string::npos) {
        return {ExitCode::kUsage, "mpirun refuses to run as root: {}", kRootRemedy};
    }
    // mpirun frames what it says with lines of dashes.
    std::string words;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.starts_with("-----")) continue;
        words += (words.empty() ? "" : " ") + line;
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    const bool unknown = code == 126 || code == 127;
    return {unknown ? ExitCode::kUsage : ExitCode::kWorkerDied,
            "'{}' ended with exit code {} before the run was complete{}{}",
            shown,
            code,
            words.empty() ? ": run it by hand to see why" : ", and said: ",
            words};
}

class Launcher {
public:
    Launcher(const Launch& launch, core::RunListener& listener)
        : launch_(launch), events_(listener) {
        DP_CHECK(launch.arguments.empty(), ==, false);
        const std::string command = launch.command.empty() ? kDefault : launch.command;
        arguments_ = {"sh",
                      "-c",
                      "exec " + command + " \"$@\"",
                      "sh",
                      "-n",
                      fmt::to_string(launch.processes),
                      fs::read_symlink("/proc/self/exe")};
        arguments_.insert(arguments_.end(), launch.arguments.begin(), launch.arguments.end());
        for (std::string& argument : arguments_) argv_.push_back(argument.data());
        argv_.push_back(nullptr);
        pid_ = fork();
        if (pid_ == 0) become_launcher();
        if (pid_ < 0) {
            throw Error(ExitCode::kResources, "cannot start mpirun ({}): close other programs",
                        std::strerror(errno));
        }
        out_.close_write_end();
        err_.close_write_end();
    }
    ~Launcher() {
        if (pid_ > 0) end();
    }
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    std::string wait() {
        const auto latest = Clock::now() + std::chrono::duration<double>(launch_.timeout_seconds);
        while (!reap()) {
            const int signal = signals_.wait();
            read();
            if (signal == SIGINT) {
                fail(Error(ExitCode::kInterrupted, "interrupted: the run is incomplete"));
            }
            if (signal == SIGTERM || signal == SIGHUP) {
                fail(Error(ExitCode::kTerminated, "terminated: the run is incomplete"));
            }
            if (events_.failure()) end();  // gives those time that were killed to be named
            if (events_.started() == 0 && Clock::now() > latest) {
                fail(Error(ExitCode::kStalled,
                           "'{}' has started no worker within {} s: give slow machines more time "
                           "with --timeout",
                           arguments_[2].substr(5), launch_.timeout_seconds));
            }
        }
        read();
        if (events_.failure()) throw WorkerFailure(*events_.failure());
        if (status_ != 0 || !events_.result()) throw translate(said_, launch_, status_);
        return *events_.result();
    }

private:
    [[noreturn]] void become_launcher() {
        signals_.restore_in_child();
        // A group of its own, so that Ctrl-C reaches it through its supervisor alone, and without
        // the terminal's input, which a group in the background must not read.
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        dup2(nothing, STDIN_FILENO);
        dup2(out_.write_end(), STDOUT_FILENO);
        dup2(err_.write_end(), STDERR_FILENO);
        execv("/bin/sh", argv_.data());
        _exit(127);
    }

    void read() {
        events_.add(out_.read_some());
        said_ += err_.read_some();
    }

    /// True when the launcher has ended.
    bool reap() {
        if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
        return pid_ < 0;
    }

    /// The launcher ends its ranks; those it could not end die with it.
    void end() {
        const auto deadline = Clock::now() + kGrace;
        bool told = false;
        while (!reap() && Clock::now() < deadline) {
            // After a failure it ends them by itself, and asked twice it would not wait for them.
            if (!told && !events_.failure()) kill(pid_, SIGTERM);
            told = true;
            (void)signals_.wait();
            read();
        }
        if (pid_ < 0) return;
        kill(-pid_, SIGKILL);
        waitpid(pid_, &status_, 0);
        pid_ = -1;
    }

    [[noreturn]] void fail(const Error& error) {
        end();
        throw error;
    }

    const Launch& launch_;
    EventReader events_;
    const SignalScope signals_;
    Pipe out_;
    Pipe err_;
    std::vector<std::string> arguments_;
    std::vector<char*> argv_;
    pid_t pid_ = -1;
    int status_ = 0;
    std::string said_;  // on stderr
};

}  // namespace

void check_launcher(const std::string& command) {
    if (!command.empty()) return;  // a shell's command line: whether it works only it knows
    if (!on_path("mpirun")) {
        throw Error(ExitCode::kUsage,
                    "--mode mpi needs mpirun, which is not on PATH: install Debian's openmpi-bin, "
                    "or name another launcher with --mpi-run");
    }
    const bool allowed = std::getenv("OMPI_ALLOW_RUN_AS_ROOT") != nullptr &&
                         std::getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") != nullptr;
    if (geteuid() == 0 && !allowed) {
        throw Error(ExitCode::kUsage, "mpirun refuses to run as root: {}", kRootRemedy);
    }
}

std::string launch_ranks(const Launch& launch, core::RunListener& listener) {
    return Launcher(launch, listener).wait();
}

}  // namespace dp::multiproc
