// What the fields of a result's `context` mean to those who read it: one row each. A field without
// a row, which a newer program may have written, is listed by `diff` and changes nothing.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "experiments/machine/topology.hpp"
#include "experiments/options/settings.hpp"

namespace dp::experiments {

struct ContextField {
    std::string_view name;   // in JSON
    std::string_view title;  // for people; empty: the report does not show it
    Effect effect = Effect::kNothing;
    Compared compared = Compared::kInPairs;
    bool resumed = false;  // --resume warns where it is another by now
    /// The value for people; null: as it is.
    std::string (*text)(const nlohmann::ordered_json& value) = nullptr;
};

/// In the order of the report.
inline constexpr std::array kContextFields{
    ContextField{"host", "host", Effect::kSpeed, Compared::kEverywhere},
    ContextField{"cpu_model", "CPU", Effect::kBoth, Compared::kEverywhere, true},
    ContextField{"usable_cpus", "usable CPUs", Effect::kSpeed, Compared::kEverywhere, true},
    ContextField{"affinity", "affinity mask", Effect::kSpeed},
    ContextField{"sockets", "CPU packages", Effect::kSpeed},
    ContextField{"physical_cores", "cores", Effect::kSpeed},
    ContextField{"threads_per_core", "hardware threads of a core (SMT)", Effect::kSpeed},
    ContextField{"numa_nodes", "memory nodes (NUMA)", Effect::kSpeed},
    ContextField{"caches", "caches of a core", Effect::kSpeed, Compared::kInPairs, false,
                 describe_caches},
    ContextField{"cpu_quota", "CPU quota of the control group", Effect::kSpeed},
    ContextField{"kernel", "kernel", Effect::kNothing, Compared::kEverywhere},
    ContextField{"onednn_version", "oneDNN", Effect::kBoth, Compared::kEverywhere, true},
    ContextField{"onednn_runtime", "oneDNN's threading", Effect::kBoth, Compared::kEverywhere},
    ContextField{"onednn_isa", "instruction set in use", Effect::kBoth, Compared::kEverywhere,
                 true},
    ContextField{"openmp_version", "OpenMP (date of its specification)"},
    ContextField{"build", "compiler and build", Effect::kBoth, Compared::kEverywhere, true},
    ContextField{"compiler_flags", "compiler flags", Effect::kBoth},
    ContextField{"dp_compare_version", "dp_compare", Effect::kNothing, Compared::kInPairs, true},
    ContextField{"commit", "its commit"},
    ContextField{"program_digest", "digest of its file"},
    ContextField{"environment", "variables set", Effect::kBoth, Compared::kEverywhere},
    ContextField{"memory_bytes", "memory, bytes"},
    ContextField{"cpu_governor", "CPU frequency governor", Effect::kSpeed},
    ContextField{"transparent_huge_pages", "transparent huge pages", Effect::kSpeed},
    ContextField{"load_average", "load average before the first run", Effect::kSpeed,
                 Compared::kNever},
    ContextField{"warnings", "", Effect::kNothing, Compared::kNever},
};

/// The row of a field, or what is known of one without.
constexpr ContextField context_field(std::string_view name) {
    const auto* const found = std::ranges::find(kContextFields, name, &ContextField::name);
    return found == kContextFields.end() ? ContextField{name, ""} : *found;
}

}  // namespace dp::experiments
