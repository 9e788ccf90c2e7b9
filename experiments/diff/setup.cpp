#include "experiments/diff/setup.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dp::experiments::diff {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 2> kSections{"config", "context"};

/// Not listed.
constexpr std::array<std::string_view, 7> kIgnored{
    "mode", "workers", "effective_batch", "data_bytes", "save", "load_average", "warnings"};

/// Listed as a warning. Whatever a newer program adds is listed without one.
constexpr std::array<std::string_view, 37> kAffectSpeed{"threads_per_worker",
                                                        "scaling",
                                                        "oversubscribed",
                                                        "model",
                                                        "dataset",
                                                        "training_images",
                                                        "epochs",
                                                        "steps_limit",
                                                        "batch_size",
                                                        "optimizer",
                                                        "momentum",
                                                        "weight_decay",
                                                        "convolution",
                                                        "precision",
                                                        "dropout",
                                                        "augment",
                                                        "shuffle",
                                                        "bucket_kib",
                                                        "reduction",
                                                        "overlap",
                                                        "inject",
                                                        "trace_steps",
                                                        "host",
                                                        "cpu_model",
                                                        "usable_cpus",
                                                        "affinity",
                                                        "cpu_quota",
                                                        "physical_cores",
                                                        "threads_per_core",
                                                        "numa_nodes",
                                                        "caches",
                                                        "cpu_governor",
                                                        "onednn_version",
                                                        "onednn_runtime",
                                                        "onednn_isa",
                                                        "build",
                                                        "environment"};

/// No bit of the parameters depends on these.
constexpr std::array<std::string_view, 8> kNoBitDependsOn{
    "scaling", "oversubscribed", "test_images", "reduction",
    "overlap", "inject",         "trace_steps", "timeout_seconds"};

/// Of the context: all of it that bits depend on.
constexpr std::array<std::string_view, 6> kBitsDependOn{
    "cpu_model", "onednn_version", "onednn_runtime", "onednn_isa", "build", "environment"};

bool is_in(const auto& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

const Json& section_of(const StoredRun& run, std::string_view section) {
    return section == "config" ? run.config : run.context;
}

void add_unique(auto& values, const auto& value) {
    if (std::ranges::find(values, value) == values.end()) values.push_back(value);
}

/// The fields that any run has, in the order of the first that has them.
std::vector<std::string> fields_of(const Pair& pair, std::string_view section) {
    std::vector<std::string> names;
    for (const RunGroup* group : {&pair.before, &pair.after}) {
        for (const StoredRun& run : group->runs) {
            for (const auto& [name, value] : section_of(run, section).items()) {
                add_unique(names, name);
            }
        }
    }
    return names;
}

/// "128", "1 or 2" where repetitions differ, "not told" in a file without the field.
std::string value_of(const RunGroup& group, std::string_view section, const std::string& field) {
    std::vector<std::string> values;
    for (const StoredRun& run : group.runs) {
        const Json& fields = section_of(run, section);
        const auto found = fields.find(field);
        add_unique(values, found == fields.end() ? std::string("not told") : found->dump());
    }
    std::ranges::sort(values);
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : " or ") + value;
    return text;
}

/// Each field that differs once, with the pairs in which it differs so.
void add_differences(const Pair& pair, std::vector<SetupDifference>& all) {
    for (const std::string_view section : kSections) {
        for (const std::string& field : fields_of(pair, section)) {
            if (is_in(kIgnored, field)) continue;
            SetupDifference difference{std::string(section),
                                       field,
                                       value_of(pair.before, section, field),
                                       value_of(pair.after, section, field),
                                       is_in(kAffectSpeed, field),
                                       {}};
            if (difference.before == difference.after) continue;
            auto same = std::ranges::find_if(all, [&](const SetupDifference& other) {
                return other.section == difference.section && other.field == difference.field &&
                       other.before == difference.before && other.after == difference.after;
            });
            if (same == all.end()) same = all.insert(all.end(), std::move(difference));
            same->configurations.push_back(name_of(pair.before));
        }
    }
}

}  // namespace

std::string name_of(const RunGroup& group) {
    return fmt::format("{} N = {}", group.mode, group.workers);
}

std::vector<SetupDifference> find_setup_differences(std::span<const Pair> pairs) {
    std::vector<SetupDifference> all;
    for (const Pair& pair : pairs) add_differences(pair, all);
    for (SetupDifference& difference : all) {
        if (difference.configurations.size() == pairs.size()) difference.configurations.clear();
    }
    std::ranges::stable_sort(all, {}, [](const SetupDifference& difference) {
        return std::pair(difference.section != kSections.front(), !difference.affects_speed);
    });
    return all;
}

bool promises_equal_checksums(const Pair& pair) {
    std::vector<SetupDifference> differences;
    add_differences(pair, differences);
    return std::ranges::all_of(differences, [](const SetupDifference& difference) {
        return difference.section == "config" ? is_in(kNoBitDependsOn, difference.field)
                                              : !is_in(kBitsDependOn, difference.field);
    });
}

}  // namespace dp::experiments::diff
