#include "experiments/diff/setup.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/machine/context_fields.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/settings.hpp"

namespace dp::experiments::diff {

using analysis::Configuration;

namespace {

void add_unique(auto& values, const auto& value) {
    if (std::ranges::find(values, value) == values.end()) values.push_back(value);
}

/// Something of a run that may differ.
struct Field {
    std::string_view section;
    std::string name;
    Effect effect = Effect::kNothing;
    std::function<std::string(const Run&)> value;  // as JSON
};

/// The settings, then the fields of the context that any run has, in the order of the first.
std::vector<Field> fields_of(const Pair& pair) {
    std::vector<Field> fields;
    for (const Setting& row : settings()) {
        if (row.compared == Compared::kNever) continue;
        fields.push_back({"config", std::string(row.name), row.effect,
                          [&row](const Run& run) { return row.write(run.settings).dump(); }});
    }
    std::vector<std::string> names;
    for (const Configuration* side : {&pair.before, &pair.after}) {
        for (const Run& run : side->runs) {
            for (const auto& [name, value] : run.context.items()) add_unique(names, name);
        }
    }
    for (const std::string& name : names) {
        const ContextField row = context_field(name);
        if (row.compared == Compared::kNever) continue;
        fields.push_back({"context", name, row.effect, [name](const Run& run) {
                              const auto found = run.context.find(name);
                              return found == run.context.end() ? "not told" : found->dump();
                          }});
    }
    return fields;
}

/// "128", "1 or 2" where repetitions differ.
std::string value_of(const Configuration& configuration, const Field& field) {
    std::vector<std::string> values;
    for (const Run& run : configuration.runs) add_unique(values, field.value(run));
    std::ranges::sort(values);
    return core::join(values, " or ");
}

/// Each field that differs once, with the pairs in which it differs so.
void add_differences(const Pair& pair, std::vector<SetupDifference>& all) {
    for (const Field& field : fields_of(pair)) {
        SetupDifference difference{std::string(field.section),
                                   field.name,
                                   value_of(pair.before, field),
                                   value_of(pair.after, field),
                                   includes(field.effect, Effect::kSpeed),
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

/// The reduction itself may differ: it is the order that bits depend on.
bool add_in_one_order(const Pair& pair) {
    if (pair.before.workers == 1) return true;
    const auto order_of = [](const Run& run) {
        return sum_order_of(run.mode(), run.result.reduction);
    };
    const core::SumOrder first = order_of(pair.before.runs.front());
    const auto has_first = [&](const Run& run) {
        return core::promise_equal_bits(first, order_of(run));
    };
    return std::ranges::all_of(pair.before.runs, has_first) &&
           std::ranges::all_of(pair.after.runs, has_first);
}

}  // namespace

std::string name_of(const Configuration& configuration) {
    return fmt::format("{} N = {}", configuration.design, configuration.workers);
}

std::vector<SetupDifference> find_setup_differences(std::span<const Pair> pairs) {
    std::vector<SetupDifference> all;
    for (const Pair& pair : pairs) add_differences(pair, all);
    for (SetupDifference& difference : all) {
        if (difference.configurations.size() == pairs.size()) difference.configurations.clear();
    }
    std::ranges::stable_sort(all, {}, [](const SetupDifference& difference) {
        return std::pair(difference.section != "config", !difference.affects_speed);
    });
    return all;
}

bool promises_equal_checksums(const Pair& pair) {
    return add_in_one_order(pair) && std::ranges::all_of(fields_of(pair), [&](const Field& field) {
               return !includes(field.effect, Effect::kBits) ||
                      value_of(pair.before, field) == value_of(pair.after, field);
           });
}

}  // namespace dp::experiments::diff
