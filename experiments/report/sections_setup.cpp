// Objective, environment, method, correctness; threats, how to reproduce.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/machine/context_fields.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/reproduction.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/report/threats.hpp"
#include "experiments/statistics/multiple_tests.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using Json = nlohmann::ordered_json;

/// What a value in a run file says, as a cell. A number with a unit is a quantity; a date and a
/// seed are none.
std::string cell(const Json& value, bool quantity) {
    if (value.is_null()) return "";
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (value.is_number_unsigned()) return quantity ? count(value.get<double>()) : value.dump();
    if (value.is_number()) return fmt::format("{:g}", value.get<double>());
    std::vector<std::string> parts;
    for (const auto& [key, part] : value.items()) {
        const std::string shown = part.is_string() ? part.get<std::string>() : part.dump();
        parts.push_back(value.is_object() ? key + "=" + shown : shown);
    }
    return core::join(parts);
}

/// A row named `title` for what any run has a value of; all its values.
void add_row(Table& table, const Analysis& analysis, std::string_view title,
             const auto& cell_of_run) {
    std::vector<std::string> values;
    for (const Run& run : analysis.results.runs) {
        const std::string value = cell_of_run(run);
        if (!value.empty() && std::ranges::find(values, value) == values.end()) {
            values.push_back(value);
        }
    }
    if (values.empty()) return;
    table.rows.push_back({{std::string(title), core::join(values, "; ")}});
}

Table table_of_settings(const char* caption) {
    return {caption, {{"setting", Align::kLeft}, {"value", Align::kLeft}}};
}

std::string scaling_in_words(const Analysis& analysis) {
    const experiments::Scaling scaling = analysis.results.runs.front().settings.scaling;
    if (scaling == experiments::Scaling::kWeak) {
        return "Scaling is weak: each worker's batch and steps stay, so N workers do N times the "
               "work.";
    }
    if (scaling == experiments::Scaling::kStrong) {
        return "Scaling is strong: the batch of all workers together stays, and N workers share "
               "it.";
    }
    return "Each worker keeps its batch, and N workers share the images of an epoch, as users of "
           "DistributedSampler have it; so a step takes N times the images.";
}

/// How far apart the runs of a pair were: what they share of the machine's drift.
std::string distance_in_words(const Analysis& analysis) {
    std::size_t most = 0;
    for (const Comparison& pair : analysis.comparisons) {
        const Configuration& first = *analysis.find(pair.first, pair.workers);
        const Configuration& second = *analysis.find(pair.second, pair.workers);
        for (const auto& [one, other] : paired_runs(first.runs, second.runs)) {
            const auto [earlier, later] = std::minmax(one->sequence, other->sequence);
            most = std::max(most, later - earlier);
        }
    }
    return most == 0 ? ""
                     : fmt::format(" The two runs of a pair were at most {} place{} apart.", most,
                                   most == 1 ? "" : "s");
}

}  // namespace

void add_objective(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Objective", "objective"});
    std::set<std::size_t> workers;
    for (const Configuration& each : analysis.configurations) workers.insert(each.workers);
    document.add(Paragraph{fmt::format(
        "How much faster do N workers train the same network on this machine, in each programming "
        "model, how sure is that, and where does the time go? Measured here: {} with N = {}. In "
        "threads, workers share memory and sum gradients there; in procs, they are processes "
        "that exchange them; serial is one worker without either.",
        core::join(analysis.designs), core::join(workers))});
    const std::vector<std::string> findings = find_findings(analysis);
    if (findings.empty()) return;
    document.add(Heading{3, "What was found", "findings"});
    document.add(List(findings));
}

void add_environment(Document& document, const Material& material) {
    document.add(Heading{2, "Environment", "environment"});
    Table machine = table_of_settings("Machine and libraries");
    for (const ContextField& field : kContextFields) {
        if (field.title.empty()) continue;
        add_row(machine, material.analysis, field.title, [&](const Run& run) {
            const Json value = run.context.value(field.name, Json());
            return field.text != nullptr ? field.text(value)
                                         : cell(value, field.name != "openmp_version");
        });
    }
    document.add(machine);
    Table training = table_of_settings("Training");
    for (const Setting& row : settings()) {
        if (row.title.empty()) continue;
        add_row(training, material.analysis, row.title,
                [&](const Run& run) { return cell(row.write(run.settings), !row.unit.empty()); });
    }
    document.add(training);
}

void add_method(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Method", "method"});
    std::size_t least = analysis.configurations.front().runs.size();
    std::size_t most = least;
    for (const Configuration& each : analysis.configurations) {
        least = std::min(least, each.runs.size());
        most = std::max(most, each.runs.size());
    }
    document.add(Paragraph{
        fmt::format("{} Every run is in fresh processes, with {} of each design and N. Time "
                    "is wall time of the training steps, without start-up, evaluation and cold "
                    "steps, on one clock for "
                    "all workers.",
                    scaling_in_words(analysis),
                    least == most ? fmt::format("{} repetition{}", least, least == 1 ? "" : "s")
                                  : fmt::format("{} to {} repetitions", least, most))});
    List terms;
    terms.items.push_back(
        {{strong("T(N)"), plain(fmt::format(": training time for {} images, one epoch of {}, "
                                            "from the images/s of N workers. {}",
                                            count(analysis.work_images), analysis.work_of,
                                            describe_baseline(analysis)))}});
    terms.items.push_back({{strong("Speedup"), plain(" S = T(1) / T(N); ideal is N.")}});
    terms.items.push_back({{strong("Efficiency"), plain(": S / N; ideal is 100 %.")}});
    terms.items.push_back(
        {{strong("Karp-Flatt"),
          plain(" e = (1/S - 1/N) / (1 - 1/N): the serial fraction that would explain S alone. "
                "Where it grows with N, the loss is overhead; below 0, the speedup is "
                "superlinear, as when a smaller share fits a cache.")}});
    terms.items.push_back(
        {{strong("n and intervals"),
          plain(fmt::format(
              ": figures are medians of n repetitions, which assume no distribution. In brackets "
              "stands the interval between two of the sorted repetitions that holds the true "
              "median with at least 95 %, whose exact probability is given; fewer than {} "
              "repetitions have none, and their range stands there. A speedup is the median of "
              "the ratios of runs of one repetition.",
              statistics::kFewestForInterval))}});
    terms.items.push_back(
        {{strong("Comparisons"),
          plain(fmt::format(
              " of two designs are of pairs: the runs of one repetition and N. Student's test on "
              "the "
              "logarithms of their ratios says whether they differ, with Holm's correction for all "
              "ratios of images/s, and another for all costs, so that chance alone shows any "
              "difference of either kind with a probability of {} at most. None shown does not "
              "mean equal.{}",
              percent(statistics::kLevel, 0), distance_in_words(analysis)))}});
    document.add(terms);
}

void add_correctness(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Correctness", "correctness"});
    const std::string sentence = describe_correctness(analysis);
    const bool shards = std::ranges::any_of(
        analysis.correctness, [](const Correctness& each) { return each.shards.has_value(); });
    document.add(Paragraph{fmt::format(
        "Runs of one N{} that add gradients in the same order must end with the same parameters "
        "to the last bit, in every model.{}",
        shards ? ", and with --shards of every N," : "",
        sentence.empty() ? " No N was run more than once, so this could not be compared."
                         : " " + sentence)});
    Table table{"Parameters and losses at the end, by N and order of additions",
                {{"N"},
                 {"order", Align::kLeft},
                 {"designs", Align::kLeft},
                 {"runs"},
                 {"checksum", Align::kLeft},
                 {"equal"},
                 {"training loss"},
                 {"test loss"},
                 {"test accuracy"}}};
    for (const Correctness& each : analysis.correctness) {
        const bool equal = each.equal();
        const bool adds_nothing = each.workers.front() == 1 && !each.shards;
        table.rows.push_back(
            {{core::join(each.workers), std::string(adds_nothing ? "" : core::name_of(each.order)),
              core::join(each.designs), fmt::to_string(each.runs), core::join(each.checksums),
              each.runs < 2 ? ""
              : equal       ? "yes"
                            : "no",
              // Without a step there is none.
              equal && each.train_loss > 0.0 ? fmt::format("{:.4f}", each.train_loss) : "",
              equal ? fmt::format("{:.4f}", each.test_loss) : "",
              equal ? percent(each.test_accuracy, 2) : ""}});
    }
    document.add(table);
}

void add_threats(Document& document, const Material& material) {
    document.add(Heading{2, "Threats to validity", "threats"});
    List list;
    for (const Threat& threat : find_threats(material.analysis)) {
        list.items.push_back({{strong(threat.title), plain(". " + threat.text)}});
    }
    if (list.items.empty()) {
        document.add(Paragraph{"None of the known threats applies."});
        return;
    }
    document.add(list);
}

void add_reproduction(Document& document, const Material& material) {
    document.add(Heading{2, "How to reproduce", "reproduce"});
    document.add(Paragraph{"The same measurement, in a folder of its own:"});
    document.add(Code{command_line_of(material.analysis.results)});
    document.add(Paragraph{"This report again, from the files of this folder:"});
    document.add(Code{"dp_compare report DIR"});
    if (material.figures.empty()) return;
    document.add(Paragraph{
        {{plain("Each plot by hand, after editing its script in "), code("experiments/plots/"),
          plain(", from its data in "), code("plots/"), plain(", for example:")}}});
    document.add(Code{"gnuplot -c experiments/plots/breakdown.gp DIR/plots svg breakdown"});
}

}  // namespace dp::experiments::report
