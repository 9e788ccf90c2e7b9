// Several designs of one mode side by side: what an exchange costs each, who waits, what is sent.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

bool has_several_designs(const Analysis& analysis) {
    const auto& all = analysis.designs;
    return std::ranges::adjacent_find(all, same_mode) != all.end();
}

/// Seconds a step that a worker gives to its gradients beyond computing them: moving, waiting,
/// updating.
double exchange_and_update(const Configuration& each) {
    return each.step_seconds([](const auto& parts) { return parts.exchange() + parts.update; })
        .median;
}

std::string sum_order(const Configuration& each) {
    const Run& run = each.runs.front();
    return std::string(name_of(sum_order_of(run.mode(), run.result.reduction)));
}

/// The checksum that all repetitions ended with.
std::string checksum(const Configuration& each) {
    const std::string& first = each.runs.front().result.checksum;
    if (!has_order(each.design, each.runs.front().result.reduction, each.workers))
        return "unordered";
    const bool equal = std::ranges::all_of(
        each.runs, [&](const Run& run) { return run.result.checksum == first; });
    return equal ? first : "differ";
}

std::vector<std::string> cells_of(const Configuration& each) {
    const core::RunResult& result = each.runs.front().result;
    using statistics::TimeParts;
    const auto a_step = [&](const auto& part) { return seconds(each.step_seconds(part).median); };
    return {each.design,
            fmt::to_string(each.workers),
            count(each.images_per_second->median),
            each.scaling ? percent(each.scaling->efficiency.median, 0) : "",
            a_step(&TimeParts::transfer),
            a_step(&TimeParts::waiting),
            a_step(&TimeParts::update),
            bytes(each.sent_bytes_per_step()),
            each.memory ? bytes(each.memory->total_bytes.median) : "",
            sum_order(each),
            result.update_kind,
            checksum(each)};
}

/// "N = 2: exchange and update take least in threads (0.3 ms a step) and most in ...". Medians: how
/// sure a difference is, the comparisons say.
std::string describe_extremes(const std::vector<const Configuration*>& of_n) {
    const auto [least, most] = std::ranges::minmax(
        of_n, {}, [](const Configuration* each) { return exchange_and_update(*each); });
    return fmt::format(
        "N = {}: exchange, waiting and update take least in {}, {} a step, and most in {}, {}; a "
        "step takes {} and {}. These are medians; how sure a difference is, the comparisons tell.",
        least->workers, least->design, seconds(exchange_and_update(*least)), most->design,
        seconds(exchange_and_update(*most)), seconds(least->metrics->iteration_seconds.median),
        seconds(most->metrics->iteration_seconds.median));
}

}  // namespace

void add_designs(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    if (!has_several_designs(analysis)) return;
    Table table{
        "Each design with more than one worker: medians; times and bytes are of a step and a "
        "worker, mean over the workers, memory is that of all processes",
        {{"design", Align::kLeft},
         {"N"},
         {"images/s"},
         {"efficiency"},
         {"transfer"},
         {"wait"},
         {"update"},
         {"sent"},
         {"memory"},
         {"order", Align::kLeft},
         {"update by", Align::kLeft},
         {"checksum", Align::kLeft}},
        {},
        kOversubscribedMark};
    List sentences;
    std::vector<const Configuration*> of_n;
    const auto end_of_n = [&] {
        if (of_n.size() > 1) sentences.items.emplace_back(describe_extremes(of_n));
        of_n.clear();
    };
    for (const Configuration& each : analysis.configurations) {
        if (each.workers == 1 || each.takes_turns || !each.metrics ||
            !mode_of(each.design).exchanges)
            continue;
        table.rows.push_back({cells_of(each), each.oversubscribed});
        if (!of_n.empty() && of_n.front()->workers != each.workers) end_of_n();
        if (!each.oversubscribed) of_n.push_back(&each);
    }
    end_of_n();
    if (table.rows.empty()) return;
    document.add(Heading{2, "Designs side by side", "designs"});
    document.add(table);
    if (!sentences.items.empty()) document.add(sentences);
}

}  // namespace dp::experiments::report
