// The descriptions of the program's files against what it writes: every field is described, and no
// other. Schemas and RESULTS.md are made of the same descriptions.
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "experiments/report/summary_file.hpp"
#include "experiments/results/ceiling_file.hpp"
#include "experiments/schemas/documents.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Paths = std::set<std::string>;

Paths described(std::string_view document) {
    Paths paths;
    for (const auto& field : experiments::schemas::read_document(document).fields) {
        if (!field.path.starts_with('#')) paths.insert(field.path);
    }
    return paths;
}

Paths with_context(Paths fields) {
    fields.merge(described("context"));
    return fields;
}

/// The paths of all fields in `value`: result.epochs[].images. `nulls` are those that are null,
/// which may stand for a list or an object.
void collect(const Json& value, const std::string& path, Paths& paths, Paths& nulls) {
    if (value.is_null()) nulls.insert(path);
    // The names in it are those of variables.
    const bool open = path == "context.environment";
    if (value.is_array()) {
        paths.insert(path + "[]");
        for (const Json& element : value) {
            if (element.is_structured()) collect(element, path + "[]", paths, nulls);
        }
        return;
    }
    if (!path.empty()) paths.insert(path);
    if (!value.is_object() || open) return;
    for (const auto& [name, field] : value.items()) {
        collect(field, path.empty() ? name : path + "." + name, paths, nulls);
    }
}

/// The paths of the documents; a null counts for the list that another has in its place.
Paths written(const std::vector<Json>& documents) {
    Paths paths;
    Paths nulls;
    for (const Json& document : documents) collect(document, "", paths, nulls);
    for (const std::string& path : nulls) {
        if (paths.contains(path + "[]")) paths.erase(path);
    }
    return paths;
}

Paths without(const Paths& all, const Paths& known) {
    Paths rest;
    for (const std::string& path : all) {
        if (!known.contains(path)) rest.insert(path);
    }
    return rest;
}

/// Both ways; Catch prints the paths that are too many.
void check_same(const Paths& described_paths, const Paths& found) {
    CHECK(without(found, described_paths) == Paths());  // found, not described
    CHECK(without(described_paths, found) == Paths());  // described, not found
}

Json parse(const fs::path& file) { return Json::parse(std::ifstream(file)); }

/// A complete run with all that a system may or may not tell, as this program writes it.
Json made_document() {
    const tests::TemporaryFolder folder;
    experiments::Run record = tests::made_run("procs", 2, 1, 0.01);
    record.result.supervisor_memory = {1, 2, 3};
    record.result.workers[0].process_memory = {1, 2, 3};
    record.result.workers[0].epochs[0].usage.counts = {1e9, 2e9, 3e6};
    record.result.workers[1].clock = {-0.5, -1.0, 0.001};
    record.result.times_left_out = true;
    record.conditions.emplace();
    record.result.cold_steps = 2;
    record.result.cold_images = 512;
    record.result.cold_seconds = 0.03;
    experiments::Machine machine;
    machine.affinity = {0};
    machine.topology.caches = {{1, "Data", 32768, 1}};
    const core::Dataset data = core::make_synthetic(1, 20, 10);
    record.context = experiments::context_json(machine);
    record.settings.data = experiments::DataFacts(data);
    return parse(experiments::write_run(folder.path(), record));
}

/// The files that the program writes into --out with `arguments`, by name.
std::map<std::string, Json> files_of(std::vector<std::string> arguments, int exit_code = 0) {
    const tests::TemporaryFolder folder;
    arguments.insert(arguments.end(), {"--out", folder.path() / "out"});
    const auto result = tests::run_program(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == exit_code);
    std::map<std::string, Json> files;
    for (const auto& entry : fs::directory_iterator(folder.path() / "out")) {
        const fs::path& file = entry.path();
        if (file.extension() == ".json") files[file.filename().string()] = parse(file);
    }
    return files;
}

/// A few small steps, plus `more`.
std::vector<std::string> small_run(std::vector<std::string> more) {
    more.insert(more.end(), {"--epochs", "1", "--steps", "2", "--batch-size", "8"});
    return more;
}

}  // namespace

TEST_CASE("every field of a run's file is described, and every one described is written") {
    std::vector<Json> documents{made_document()};
    auto files = files_of(small_run({"--mode", "serial,threads,procs", "-n", "2"}));
    for (const char* name :
         {"run-serial-n1-r1.json", "run-threads-n2-r1.json", "run-procs-n2-r1.json"}) {
        documents.push_back(files.at(name));
    }
    files = files_of(small_run({"--mode", "procs", "-n", "2", "--timeout", "0.1", "--inject",
                                "delay:rank=1,ms=1000,phase=forward"}),
                     7);
    documents.push_back(files.at("run-procs-n2-r1.json"));
    check_same(with_context(described("run")), written(documents));
}

TEST_CASE("every field of a ceiling is described, and every one described is written") {
    const tests::TemporaryFolder folder;
    experiments::write_ceiling(folder.path(), {2, 1, "2026-01-31T23:59:59Z", 8, {1.0, 2.0}, {}});
    check_same(described("ceiling"), written({parse(folder.path() / "ceiling-n2-r1.json")}));
}

TEST_CASE("every field of allreduce.json is described, and every one described is written") {
    const auto files = files_of({"allreduce", "--mode", "threads,procs", "-n", "2", "--bytes",
                                 "4096", "--repetitions", "2"});
    const std::vector<Json> documents{files.at("allreduce.json"),
                                      {{"context", made_document().at("context")}}};
    check_same(with_context(described("allreduce")), written(documents));
}

TEST_CASE("every field of sweep.json is described, and every one described is written") {
    const auto files = files_of(small_run({"--mode", "serial,threads", "-n", "1"}));
    check_same(described("sweep"), written({files.at("sweep.json")}));
}

TEST_CASE("every field of a trace is described, and every one described is written") {
    const tests::TemporaryFolder folder;
    std::vector<Json> traces;
    for (const char* mode : {"serial", "threads", "procs"}) {
        // One bucket of all gradients, which a ring passes on in groups.
        const auto arguments = small_run({"--mode", mode, "-n", "2", "--bucket-kib", "8192",
                                          "--trace", folder.path() / "trace.json"});
        REQUIRE(tests::run_program(arguments).exit_code == 0);
        traces.push_back(parse(folder.path() / "trace.json"));
    }
    check_same(described("trace"), written(traces));
}

TEST_CASE("every field of diff's file is described, and every one described is written") {
    const tests::TemporaryFolder before, after, out;
    experiments::Run record = tests::made_run("threads", 2, 1, 0.01);
    tests::write_made_run(before.path(), record);
    record.settings.config.overlap = false;
    record.result.checksum = "0000000000000abc";
    tests::write_made_run(after.path(), record);
    const fs::path file = out.path() / "diff.json";
    REQUIRE(tests::run_program({"diff", before.path(), after.path(), "--json", file}).exit_code ==
            0);
    const Json document = parse(file);
    CHECK(document.at("checksums").size() == 1);
    check_same(described("diff"), written({document}));
}

TEST_CASE("every field of predict's file is described, and every one described is written") {
    const tests::TemporaryFolder folder, out;
    for (const std::size_t workers : {1U, 2U, 4U}) {
        const double slower = 1.0 + 0.1 * static_cast<double>(workers - 1);
        tests::write_repetitions(folder, "procs", workers, 0.01 * slower, 2, 0.0);
    }
    const fs::path file = out.path() / "predict.json";
    const auto result = tests::run_program({"predict", folder.path(), "--json", file});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    check_same(described("predict"), written({parse(file)}));
}

TEST_CASE("every field of summary.json is described, and every one described is written") {
    const tests::TemporaryFolder folder;
    for (const std::size_t workers : {1U, 2U, 4U, 8U}) {  // as many as the laws need
        const double slower = 1.0 + 0.1 * static_cast<double>(workers - 1);
        tests::write_repetitions(folder, "threads", workers, 0.05 * slower);
    }
    for (const std::size_t workers : {1U, 2U, 4U}) {  // as many as a check of predictions needs
        const double slower = 1.0 + 0.1 * static_cast<double>(workers - 1);
        for (const std::size_t repetition : {1U, 2U, 3U}) {
            experiments::Run run = tests::made_run("procs", workers, repetition, 0.05 * slower);
            run.result.total_seconds = 6.0;
            for (core::WorkerReport& worker : run.result.workers) {
                worker.epochs.front().usage.migrations = 1;
            }
            tests::write_made_run(folder.path(), run);
        }
    }
    for (const std::size_t repetition : {1U, 2U}) {
        experiments::write_ceiling(
            folder.path(), {4, repetition, "2026-01-31T23:59:59Z", 128, {2e3, 2e3, 2e3, 2e3}, {}});
    }
    experiments::Run late =
        tests::made_straggler("procs", 16, 1, core::StepPart::kForward, 95, false);
    late.settings.config.seed = 7;
    late.result.supervisor_memory = {1, 2, 3};
    for (core::WorkerReport& worker : late.result.workers) {
        worker.process_memory = {1, 2, 3};
        worker.steps.front()[core::StepPart::kOther][50] += 7;  // equal steps are not correlated
        worker.epochs.front().phase_seconds[static_cast<std::size_t>(core::Phase::kExchange)] = 0.5;
    }
    for (late.repetition = 1; late.repetition <= 2; ++late.repetition) {
        tests::write_made_run(folder.path(), late);
    }
    const auto analysis = experiments::analysis::analyse(folder.path());
    check_same(described("summary"), written({experiments::report::summary_json(analysis)}));
}

TEST_CASE("no field's description is without a unit that its name tells") {
    for (const auto& [document, text] : experiments::schemas::fields_texts()) {
        for (const auto& field : experiments::schemas::read_document(document).fields) {
            const std::string name = field.path.substr(0, field.path.find("[]"));
            INFO(document << " " << field.path);
            if (name.ends_with("_seconds")) CHECK(field.unit == "s");
            if (name.ends_with("_bytes")) CHECK(field.unit == "bytes");
            if (name.ends_with("images_per_second")) CHECK(field.unit == "images/s");
            if (!name.starts_with('#')) CHECK_FALSE(field.meaning.empty());
        }
    }
}
