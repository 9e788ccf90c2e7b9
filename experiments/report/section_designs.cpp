// Several designs of one mode side by side: what an exchange costs each, who waits, what is sent.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/analysis/winner.hpp"
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

/// "N = 2: exchange and update take least in threads (0.3 ms a step) and most in ...": how much
/// the exchange weighs. Medians: how sure a difference is, the other sentences say.
std::string describe_extremes(const std::vector<const Configuration*>& of_n) {
    const auto [least, most] = std::ranges::minmax(
        of_n, {}, [](const Configuration* each) { return exchange_and_update(*each); });
    const auto share = [](const Configuration& each) {
        const double step = each.parts.total() - each.parts.start_up;  // cold steps, too, as above
        return percent(exchange_and_update(each) * static_cast<double>(each.steps_per_epoch) /
                       step);
    };
    return fmt::format(
        "N = {}: by their medians, transfer, wait and update take least in {}, {} or {} of a step, "
        "and most in {}, {} or {}.",
        least->workers, least->design, seconds(exchange_and_update(*least)), share(*least),
        most->design, seconds(exchange_and_update(*most)), share(*most));
}

/// "threads/critical (1.20 ms of the 1.50 ms that its step is longer, range 1.10 ms to 1.30 ms; a
/// worker sends 4.59 MB a step, not 2.30 MB)".
std::string describe_reason(const Rival& rival, const Configuration& winner,
                            const Configuration& other) {
    const statistics::Summary& lost = rival.reason()->seconds;
    const double longer = rival.step_seconds.median;
    const std::string of_all =
        longer > 0.99 * lost.median
            ? fmt::format(" of the {} that its step is longer", seconds(longer))
            : "";
    const std::string sent = bytes(other.sent_bytes_per_step());
    const std::string sent_by_winner = bytes(winner.sent_bytes_per_step());
    return fmt::format(
        "{} ({}{}, {} {} to {}{})", rival.design, seconds(lost.median), of_all,
        interval_name(lost.n), seconds(lost.interval->low), seconds(lost.interval->high),
        sent == sent_by_winner
            ? ""
            : fmt::format("; a worker sends {} a step, not {}", sent, sent_by_winner));
}

/// Where those that are shown to be slower lose: by the part in which each of them loses most.
std::string describe_reasons(const Analysis& analysis, const Winner& winner) {
    const Configuration& first = *winner.configuration;
    std::vector<std::string> reasons;
    for (const LostPart& part : winner.rivals.front().parts) {
        std::vector<std::string> here;
        for (const Rival& rival : winner.rivals) {
            if (!rival.shown || rival.reason() == nullptr || rival.reason()->name != part.name)
                continue;
            here.push_back(
                describe_reason(rival, first, *analysis.find(rival.design, first.workers)));
        }
        if (!here.empty()) reasons.push_back(fmt::format("in {}: {}", part.name, core::join(here)));
    }
    std::vector<std::string> none;
    for (const Rival& rival : winner.rivals) {
        if (rival.shown && rival.reason() == nullptr) none.push_back(rival.design);
    }
    std::string text =
        reasons.empty() ? ""
                        : fmt::format("Why: the slower ones lose most of their time against {} {}.",
                                      first.design, core::join(reasons, "; "));
    if (!none.empty()) {
        text +=
            fmt::format("{}No one part of a step is shown to be longer with {}, only the whole.",
                        text.empty() ? "" : " ", core::join(none));
    }
    return text;
}

/// Who wins at one N, who is shown to be slower, and who cannot be told apart.
std::string describe_standing(const Winner& winner) {
    std::vector<std::string> slower, equal, not_judged;
    for (const Rival& rival : winner.rivals) {
        if (rival.shown) {
            slower.push_back(fmt::format("{} ({})", rival.design, percent(rival.slower.median)));
        } else {
            (rival.judged ? equal : not_judged).push_back(rival.design);
        }
    }
    const Configuration& first = *winner.configuration;
    std::vector<std::string> parts;
    if (!slower.empty()) parts.push_back("shown to be slower: " + core::join(slower));
    if (!equal.empty())
        parts.push_back("not told apart from it by these runs: " + core::join(equal));
    if (!not_judged.empty()) parts.push_back("too few pairs to judge: " + core::join(not_judged));
    return fmt::format("N = {}: {} trains the most images/s ({} by the median){}; {}.",
                       first.workers, first.design, count(first.images_per_second->median),
                       slower.empty() ? ", but is not shown to be the fastest"
                       : equal.empty() && not_judged.empty() ? " and wins"
                                                             : " and is among the fastest",
                       core::join(parts, "; "));
}

List describe_winners(const Analysis& analysis) {
    List sentences;
    for (const Winner& winner : find_winners(analysis)) {
        if (winner.rivals.empty()) continue;
        sentences.items.emplace_back(describe_standing(winner));
        const std::string why = describe_reasons(analysis, winner);
        if (!why.empty()) sentences.items.emplace_back(why);
    }
    return sentences;
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
    List sentences = describe_winners(analysis);
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
    document.add_if_any(sentences);
    document.add(Paragraph{
        "The design with the most images/s is held against every other one of its N, pair by pair "
        "of runs. What is shown to be slower is so with Holm's correction over all pairs of "
        "designs, "
        "since the data chose the first, and what loses in a part of a step with one over all "
        "parts "
        "of all rivals. These families are larger than that of the comparisons, so they may not "
        "show what a comparison of two designs does."});
}

}  // namespace dp::experiments::report
