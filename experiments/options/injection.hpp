// Faults to inject into a run, for tests and exercises: --inject delay:rank=R,ms=M,phase=P.
#pragma once

#include <string>
#include <string_view>

#include "core/train/run_config.hpp"

namespace dp::experiments {

/// The delay that `spec` describes. Throws Error(kUsage) that names the part that is wrong.
core::Delay parse_injection(std::string_view spec);
/// `delay` as a spec.
std::string to_spec(const core::Delay& delay);
/// For --help.
std::string injection_help();

}  // namespace dp::experiments
