// dp_compare: trains a network with data parallelism in two programming models and measures one
// against the other.
#include <csignal>
#include <cstdio>
#include <exception>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/command_line.hpp"
#include "experiments/report/report.hpp"
#include "experiments/sweep/sweep.hpp"

namespace {

void set_up_log() {
    const auto mode = std::getenv("NO_COLOR") == nullptr ? spdlog::color_mode::automatic
                                                         : spdlog::color_mode::never;
    auto log = spdlog::stderr_color_mt("dp_compare", mode);
    log->set_pattern("dp_compare: %^%l%$: %v");
    spdlog::set_default_logger(std::move(log));
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that leaves (`| head`) must not end a run: writes to it then fail, quietly.
    std::signal(SIGPIPE, SIG_IGN);
    set_up_log();
    try {
        const auto parsed = dp::experiments::parse_command_line(argc, argv);
        if (const auto* text = std::get_if<std::string>(&parsed)) {
            std::fputs(text->c_str(), stdout);
            return 0;
        }
        if (const auto* request = std::get_if<dp::experiments::allreduce::Request>(&parsed)) {
            dp::experiments::allreduce::run_benchmark(*request);
            return 0;
        }
        if (const auto* request = std::get_if<dp::experiments::report::Request>(&parsed)) {
            namespace report = dp::experiments::report;
            report::print_written(report::write_report(request->folder));
            return 0;
        }
        if (const auto* request = std::get_if<dp::experiments::diff::Request>(&parsed)) {
            dp::experiments::diff::run_diff(*request);
            return 0;
        }
        if (const auto* request = std::get_if<dp::experiments::predict::Request>(&parsed)) {
            dp::experiments::predict::run_predict(*request);
            return 0;
        }
        const auto& request = std::get<dp::experiments::Request>(parsed);
        if (request.verbose) spdlog::set_pattern("%H:%M:%S.%e dp_compare: %^%l%$: %v");
        dp::experiments::run_request(request);
        return 0;
    } catch (const dp::core::Error& error) {
        spdlog::error("{}", error.what());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
        return static_cast<int>(dp::core::ExitCode::kRunFailed);
    }
}
