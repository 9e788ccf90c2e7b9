// Objective, environment, method, correctness; threats, how to reproduce.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/reproduction.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/report/threats.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using Json = nlohmann::ordered_json;

/// What a field of a run file says, as a cell.
std::string cell(const Json& object, const char* field) {
    const auto found = object.find(field);
    if (found == object.end() || found->is_null()) return "";
    if (found->is_string()) return found->get<std::string>();
    if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
    if (found->is_number_unsigned()) {
        // A date and a seed are no quantities.
        const std::string_view name = field;
        const bool quantity = name != "openmp_version" && name != "seed";
        return quantity ? count(found->get<double>()) : found->dump();
    }
    if (found->is_number()) return fmt::format("{:g}", found->get<double>());
    if (found->is_object() || found->is_array()) {
        std::vector<std::string> parts;
        for (const auto& [key, value] : found->items()) {
            const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
            parts.push_back(found->is_object() ? key + "=" + shown : shown);
        }
        return core::join(parts);
    }
    return found->dump();
}

struct Field {
    const char* name;
    const char* title;
};

constexpr std::array<Field, 13> kEnvironment{{
    {"host", "host"},
    {"cpu_model", "CPU"},
    {"usable_cpus", "usable CPUs"},
    {"affinity", "affinity mask"},
    {"cpu_quota", "CPU quota of the control group"},
    {"kernel", "kernel"},
    {"onednn_version", "oneDNN"},
    {"onednn_runtime", "oneDNN's threading"},
    {"onednn_isa", "instruction set in use"},
    {"openmp_version", "OpenMP (date of its specification)"},
    {"build", "compiler and build"},
    {"dp_compare_version", "dp_compare"},
    {"environment", "variables set"},
}};

constexpr std::array<Field, 20> kSettings{{
    {"model", "network"},
    {"dataset", "data set"},
    {"data_source", "its source"},
    {"training_images", "training images"},
    {"test_images", "test images"},
    {"epochs", "epochs"},
    {"steps_limit", "steps an epoch, at most"},
    {"scaling", "scaling"},
    {"batch_size", "images per worker and step"},
    {"optimizer", "optimizer"},
    {"learning_rate", "learning rate"},
    {"momentum", "momentum"},
    {"weight_decay", "weight decay"},
    {"dropout", "dropout"},
    {"augment", "augmentation"},
    {"precision", "precision"},
    {"seed", "seed"},
    {"bucket_kib", "buckets of at least, KiB"},
    {"overlap", "exchange overlaps backward"},
    {"inject", "injected fault"},
}};

/// A row for each field that any run has a value of; all its values.
Table table_of(const Analysis& analysis, std::span<const Field> fields, bool context,
               std::string caption) {
    Table table{std::move(caption), {{"setting", Align::kLeft}, {"value", Align::kLeft}}, {}, ""};
    for (const Field& field : fields) {
        std::vector<std::string> values;
        for (const StoredRun& run : analysis.results.runs) {
            const std::string value = cell(context ? run.context : run.config, field.name);
            if (!value.empty() && std::ranges::find(values, value) == values.end()) {
                values.push_back(value);
            }
        }
        if (values.empty()) continue;
        table.rows.push_back({{field.title, core::join(values, "; ")}, false});
    }
    return table;
}

std::string scaling_in_words(const Analysis& analysis) {
    const std::string& scaling = analysis.results.runs.front().scaling;
    if (scaling == "weak") {
        return "Scaling is weak: each worker's batch and steps stay, so N workers do N times the "
               "work.";
    }
    if (scaling == "strong") {
        return "Scaling is strong: the batch of all workers together stays, and N workers share "
               "it.";
    }
    return "Each worker keeps its batch, and N workers share the images of an epoch, as users of "
           "DistributedSampler have it; so a step takes N times the images.";
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
        "threads, workers share memory and sum gradients in place; in procs, they are processes "
        "that exchange them; serial is one worker without either.",
        core::join(analysis.modes), core::join(workers))});
    const std::vector<std::string> findings = find_findings(analysis);
    if (findings.empty()) return;
    document.add(Heading{3, "What was found", "findings"});
    List list;
    for (const std::string& finding : findings) list.items.emplace_back(finding);
    document.add(list);
}

void add_environment(Document& document, const Material& material) {
    document.add(Heading{2, "Environment", "environment"});
    document.add(table_of(material.analysis, kEnvironment, true, "Machine and libraries"));
    document.add(table_of(material.analysis, kSettings, false, "Training"));
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
    document.add(Paragraph{fmt::format(
        "{} Every run is in fresh processes, with {} of each mode and N. Time "
        "is wall time of the training steps, without start-up and evaluation, on one clock for "
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
              ": figures are medians of n repetitions. In brackets stands the 95 % interval: "
              "percentile bootstrap from {} repetitions on, and none with fewer. A speedup "
              "is the ratio of two medians. Two modes of one N are compared repetition by "
              "repetition: geometric mean of the ratios, Student's t on their logarithms. Where "
              "that interval holds 1, no difference is "
              "shown.",
              statistics::kFewestForBootstrap))}});
    document.add(terms);
}

void add_correctness(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Correctness", "correctness"});
    const std::string sentence = describe_correctness(analysis);
    document.add(Paragraph{fmt::format(
        "The sum of gradients has the same order in every model, so runs of one N must end with "
        "the same parameters to the last bit.{}",
        sentence.empty() ? " No N was run more than once, so this could not be compared."
                         : " " + sentence)});
    Table table{"Parameters and losses at the end, by N",
                {{"N"},
                 {"modes", Align::kLeft},
                 {"runs"},
                 {"checksum", Align::kLeft},
                 {"equal"},
                 {"training loss"},
                 {"test loss"},
                 {"test accuracy"}},
                {},
                ""};
    for (const Correctness& each : analysis.correctness) {
        const bool equal = each.equal();
        table.rows.push_back(
            {{fmt::to_string(each.workers), core::join(each.modes), fmt::to_string(each.runs),
              core::join(each.checksums),
              each.runs < 2 ? ""
              : equal       ? "yes"
                            : "no",
              // Without a step there is none.
              equal && each.train_loss > 0.0 ? fmt::format("{:.4f}", each.train_loss) : "",
              equal ? fmt::format("{:.4f}", each.test_loss) : "",
              equal ? percent(each.test_accuracy, 2) : ""},
             false});
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
        document.add(Paragraph{"None of those that are checked for applies."});
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
