#include "experiments/analysis/settings.hpp"

#include <algorithm>
#include <string_view>

#include "experiments/machine/context_fields.hpp"
#include "experiments/options/settings.hpp"

namespace dp::experiments::analysis {
namespace {

std::vector<std::pair<std::string, std::string>> settings_of(const Run& run) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const Setting& row : settings()) {
        if (row.compared != Compared::kEverywhere) continue;
        // With strong scaling the batch of all workers is what stays.
        const bool strong =
            run.settings.scaling == experiments::Scaling::kStrong && row.name == "batch_size";
        const Setting& kept = strong ? *find_setting("effective_batch") : row;
        all.emplace_back(kept.name, kept.write(run.settings).dump());
    }
    for (const ContextField& row : kContextFields) {
        if (row.compared != Compared::kEverywhere) continue;
        const auto found = run.context.find(row.name);
        all.emplace_back(row.name, found == run.context.end() ? "" : found->dump());
    }
    return all;
}

}  // namespace

std::string comparable_settings(const Run& run) {
    std::string text;
    for (const auto& [name, value] : settings_of(run)) text += name + "=" + value + "\n";
    return text;
}

std::vector<Difference> find_differences(std::span<const Run> runs) {
    std::vector<Difference> differences;
    for (const Run& run : runs) {
        for (const auto& [name, value] : settings_of(run)) {
            auto found = std::ranges::find(differences, name, &Difference::setting);
            if (found == differences.end()) {
                found = differences.insert(differences.end(), {name, {}});
            }
            if (std::ranges::find(found->values, value) == found->values.end()) {
                found->values.push_back(value);
            }
        }
    }
    std::erase_if(differences, [](const Difference& each) { return each.values.size() < 2; });
    return differences;
}

}  // namespace dp::experiments::analysis
