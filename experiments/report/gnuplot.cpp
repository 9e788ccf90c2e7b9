#include "experiments/report/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments::report {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;

constexpr const char* kVariable = "DP_COMPARE_PLOTS";
constexpr const char* kStyle = "style.gp";
constexpr std::array kFormats{"svg", "png"};

bool has_style(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / kStyle, ignored);
}

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A file that is open while gnuplot writes its complaints to it, and gone after.
class Complaints {
public:
    Complaints() : file_(std::tmpfile()) {}
    Complaints(const Complaints&) = delete;
    Complaints& operator=(const Complaints&) = delete;
    ~Complaints() {
        if (file_ != nullptr) std::fclose(file_);
    }
    [[nodiscard]] int descriptor() const { return file_ == nullptr ? -1 : fileno(file_); }
    [[nodiscard]] std::string last_line() {
        if (file_ == nullptr) return "";
        std::rewind(file_);
        std::array<char, 512> line{};
        std::string last;
        while (std::fgets(line.data(), line.size(), file_) != nullptr) {
            const std::string text(line.data(), std::strcspn(line.data(), "\r\n"));
            if (!text.empty()) last = text;
        }
        return last;
    }

private:
    std::FILE* file_;
};

enum class Drawn { kYes, kNo, kNoGnuplot, kLate };

/// Waits for gnuplot's end, and brings it about after `limit` or when the user wants to stop.
Drawn wait_for(pid_t child, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (InterruptScope::received() || std::chrono::steady_clock::now() > deadline) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return Drawn::kLate;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return Drawn::kNoGnuplot;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Drawn::kYes : Drawn::kNo;
}

/// gnuplot -c SCRIPT FOLDER FORMAT NAME, without a shell, in the C locale and without the user's
/// own settings. SCRIPT and FOLDER are absolute: gnuplot takes a name that begins with < or | for a
/// command.
Drawn draw(const fs::path& script, const fs::path& folder, const char* format,
           const std::string& name, std::chrono::milliseconds limit, Complaints& complaints) {
    std::array<std::string, 7> words{"gnuplot",       "-d",   "-c", script.string(),
                                     folder.string(), format, name};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> settings{"LC_ALL=C"};
    for (char** each = environ; *each != nullptr; ++each) {
        if (!std::string_view(*each).starts_with("LC_ALL=")) settings.emplace_back(*each);
    }
    std::vector<char*> environment;
    for (std::string& setting : settings) environment.push_back(setting.data());
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (complaints.descriptor() >= 0) {
        posix_spawn_file_actions_adddup2(&actions, complaints.descriptor(), STDERR_FILENO);
    }
    pid_t child = -1;
    const int refused = posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) return refused == ENOENT ? Drawn::kNoGnuplot : Drawn::kNo;
    return wait_for(child, limit);
}

void remove_pictures(const fs::path& folder, const PlotData& plot) {
    std::error_code ignored;
    for (const char* const format : kFormats) {
        fs::remove(folder / fmt::format("{}.{}", plot.name, format), ignored);
    }
}

/// Draws `plot` in all formats, or none.
Drawn draw_all(const fs::path& scripts, const fs::path& folder, const PlotData& plot,
               std::chrono::milliseconds limit, std::string& reason) {
    for (const char* const format : kFormats) {
        Complaints complaints;
        const fs::path file = folder / fmt::format("{}.{}", plot.name, format);
        const Drawn drawn =
            draw(scripts / (plot.script + ".gp"), folder, format, plot.name, limit, complaints);
        std::error_code ignored;
        if (drawn == Drawn::kYes && fs::file_size(file, ignored) > 0 && !ignored) continue;
        reason = drawn == Drawn::kLate
                     ? fmt::format("it was ended after {:g} s and no other plot was tried",
                                   static_cast<double>(limit.count()) / 1e3)
                     : complaints.last_line();
        remove_pictures(folder, plot);
        return drawn == Drawn::kYes ? Drawn::kNo : drawn;
    }
    return Drawn::kYes;
}

}  // namespace

fs::path find_plot_scripts() {
    if (const char* const named = std::getenv(kVariable); named != nullptr) {
        if (has_style(named)) return named;
        throw Error(ExitCode::kUsage, "{}={} has no {}: name the folder of the plots' scripts",
                    kVariable, named, kStyle);
    }
    std::error_code ignored;
    const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "plots";
    for (const fs::path& place : {beside, fs::path(DP_PLOT_SCRIPTS)}) {
        if (has_style(place)) return place;
    }
    throw Error(ExitCode::kData,
                "no scripts of plots in {} or {}: name their folder in the environment variable {}",
                beside.string(), DP_PLOT_SCRIPTS, kVariable);
}

std::vector<Figure> draw_plots(const fs::path& folder, std::span<const PlotData> plots,
                               std::chrono::milliseconds limit) {
    const fs::path into = fs::absolute(folder / kPlotsFolder);
    std::error_code error;
    fs::create_directories(into, error);
    if (error) {
        throw Error(ExitCode::kData,
                    "{} cannot be created ({}): choose a folder that can be written", into.string(),
                    error.message());
    }
    write_text(into / "modes.csv", modes_csv());
    for (const PlotData& plot : plots) {
        // A picture of earlier data must not stand beside the new ones.
        remove_pictures(into, plot);
        write_text(into / (plot.name + ".csv"), plot.csv);
    }

    std::vector<Figure> figures;
    fs::path scripts;
    try {
        scripts = fs::absolute(find_plot_scripts());
    } catch (const Error& missing) {
        spdlog::warn("the report has no plots: {}", missing.what());
        return figures;
    }
    std::string refused;
    for (const PlotData& plot : plots) {
        std::string reason;
        const Drawn drawn = draw_all(scripts, into, plot, limit, reason);
        InterruptScope::check(fmt::format(
            "the report is incomplete; make it with: dp_compare report {}", folder.string()));
        if (drawn == Drawn::kNoGnuplot) {
            spdlog::warn(
                "the report has no plots, for there is no gnuplot: install Debian's "
                "package gnuplot-nox and run dp_compare report {} again",
                folder.string());
            return {};
        }
        if (drawn != Drawn::kYes) {
            refused += fmt::format("{}{} ({})", refused.empty() ? "" : ", ", plot.name, reason);
            if (drawn == Drawn::kLate) break;
            continue;
        }
        const fs::path relative = fs::path(kPlotsFolder) / plot.name;
        figures.push_back({plot.name, plot.caption, plot.alt, relative.string() + ".svg",
                           relative.string() + ".png", content_of(into / (plot.name + ".svg"))});
    }
    if (!refused.empty()) {
        spdlog::warn("gnuplot could not draw {}: see the scripts in {}", refused, scripts.string());
    }
    return figures;
}

}  // namespace dp::experiments::report
