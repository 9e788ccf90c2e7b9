#include "experiments/options/injection.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/options/parse_number.hpp"

namespace dp::experiments {
namespace {

using core::Phase;

constexpr std::string_view kPrefix = "delay:";
constexpr const char* kExample = "for example --inject delay:rank=1,ms=20,phase=backward";
constexpr std::array kPhasesToDelay{Phase::kLoad, Phase::kForward, Phase::kBackward,
                                    Phase::kUpdate};
constexpr double kMostMilliseconds = 1e9;

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
    throw core::Error(core::ExitCode::kUsage, "--inject {}: {}",
                      fmt::format(format, std::forward<Args>(args)...), kExample);
}

std::string phase_names() {
    return core::join(kPhasesToDelay, ", ", [](Phase phase) { return core::name_of(phase); });
}

std::size_t parse_rank(std::string_view text) {
    const auto rank = parse_number<std::size_t>(text);
    if (!rank) refuse("rank '{}' is not a rank from 0", text);
    return *rank;
}

double parse_milliseconds(std::string_view text) {
    const auto ms = parse_number<double>(text);
    // A comparison with nan is false.
    if (!ms || !(*ms >= 0.0 && *ms <= kMostMilliseconds)) {
        refuse("ms '{}' is not a number of milliseconds from 0 to 1e9", text);
    }
    return *ms;
}

Phase parse_phase(std::string_view text) {
    const auto phase =
        std::ranges::find(kPhasesToDelay, text, [](core::Phase one) { return core::name_of(one); });
    if (phase == kPhasesToDelay.end()) refuse("phase '{}' is not one of {}", text, phase_names());
    return *phase;
}

}  // namespace

core::Delay parse_injection(std::string_view spec) {
    if (!spec.starts_with(kPrefix)) refuse("'{}' does not start with 'delay:'", spec);
    std::optional<std::size_t> rank;
    std::optional<double> milliseconds;
    std::optional<Phase> phase;
    for (std::string_view rest = spec.substr(kPrefix.size()); !rest.empty();) {
        const std::string_view part = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        const std::string_view key = part.substr(0, part.find('='));
        const std::string_view value = part.substr(std::min(key.size() + 1, part.size()));
        if (key == "rank") {
            rank = parse_rank(value);
        } else if (key == "ms") {
            milliseconds = parse_milliseconds(value);
        } else if (key == "phase") {
            phase = parse_phase(value);
        } else {
            refuse("'{}' is not rank=, ms= or phase=", part);
        }
    }
    if (!rank || !milliseconds || !phase) {
        refuse("'{}' lacks {}", spec, !rank ? "rank=" : !milliseconds ? "ms=" : "phase=");
    }
    return {*rank, *milliseconds, *phase};
}

std::string to_spec(const core::Delay& delay) {
    return fmt::format("delay:rank={},ms={:g},phase={}", delay.rank, delay.milliseconds,
                       core::name_of(delay.phase));
}

std::string injection_help() {
    return "delay:rank=R,ms=M,phase=P lets rank R sleep M ms each time it enters phase " +
           phase_names();
}

}  // namespace dp::experiments
