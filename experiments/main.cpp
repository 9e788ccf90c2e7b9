// dp_compare: trains a network with data parallelism in two programming models and measures one
// against the other.
#include <unistd.h>

#include <csignal>
#include <exception>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/command_line.hpp"
#include "experiments/report/report.hpp"
#include "experiments/sweep/rank.hpp"
#include "experiments/sweep/sweep.hpp"
#include "experiments/text/output.hpp"
#include "experiments/text/terminal.hpp"
#include "multiproc/process_group.hpp"

namespace {

namespace dx = dp::experiments;

constexpr std::string_view kPrefix = "dp_compare: warning: ";

/// The message of a log line, as a terminal may show it: wrapped, as if behind the longest prefix.
class PrintableMessage final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
                spdlog::memory_buf_t& line) override {
        std::string text = dx::printable({message.payload.data(), message.payload.size()});
        if (const auto columns = dx::terminal_columns(STDERR_FILENO)) {
            text = dx::wrap(std::string(kPrefix) + text, *columns).substr(kPrefix.size());
        }
        line.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<PrintableMessage>();
    }
};

/// On a terminal a message takes the place of the progress line.
void set_pattern(const std::string& pattern) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PrintableMessage>('*').set_pattern(
        (isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "") + pattern);
    spdlog::set_formatter(std::move(formatter));
}

void set_up_log() {
    const char* const no_color = std::getenv("NO_COLOR");  // see no-color.org
    const bool plain = no_color != nullptr && *no_color != '\0';
    spdlog::set_default_logger(spdlog::stderr_color_mt(
        "dp_compare", plain ? spdlog::color_mode::never : spdlog::color_mode::automatic));
    set_pattern("dp_compare: %^%l%$: %*");
}

/// Trains: in one of several ranks that the user's launcher has started, or for all of them.
void train(const dx::Request& request) {
    if (dx::is_silent_rank()) return dx::run_silent_rank(request);
    if (request.verbose) set_pattern("%H:%M:%S.%e dp_compare: %^%l%$: %*");
    dx::run_request(request);
}

void run(const dx::Parsed& parsed) {
    if (const auto* text = std::get_if<std::string>(&parsed)) {
        if (!dx::is_silent_rank()) dx::print(*text);
        return;
    }
    if (const auto* request = std::get_if<dx::allreduce::Request>(&parsed)) {
        return dx::allreduce::run_benchmark(*request);
    }
    if (const auto* request = std::get_if<dx::report::Request>(&parsed)) {
        return dx::report::run_report(*request);
    }
    if (const auto* request = std::get_if<dx::diff::Request>(&parsed)) {
        return dx::diff::run_diff(*request);
    }
    if (const auto* request = std::get_if<dx::diff::AbRequest>(&parsed)) {
        return dx::diff::run_ab(*request);
    }
    if (const auto* request = std::get_if<dx::predict::Request>(&parsed)) {
        return dx::predict::run_predict(*request);
    }
    train(std::get<dx::Request>(parsed));
}

/// Says why the program fails; of several ranks that fail alike, one says it.
int fail(const dp::core::Error& error) {
    const auto* const failure = dynamic_cast<const dp::multiproc::WorkerFailure*>(&error);
    if (failure == nullptr || !failure->signal()) dx::let_first_rank_speak();
    spdlog::error("{}", error.what());
    return static_cast<int>(error.code());
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that leaves (`| head`) must not end a run: writes to it then fail, quietly.
    std::signal(SIGPIPE, SIG_IGN);
    set_up_log();
    try {
        const dx::Parsed parsed = dx::parse_command_line(argc, argv);
        if (const auto* rank = std::get_if<dx::RankRequest>(&parsed)) {
            return static_cast<int>(dx::run_rank(rank->text));
        }
        if (const auto* rank = std::get_if<dx::allreduce::RankRequest>(&parsed)) {
            return static_cast<int>(dx::allreduce::run_rank(rank->text));
        }
        run(parsed);
        dx::check_output();
        return 0;
    } catch (const dp::core::Error& error) {
        return fail(error);
    } catch (const std::exception& error) {
        return fail({dp::core::ExitCode::kRunFailed, std::string(error.what())});
    }
}
