// What the report says of constructed runs, and what it leaves out.
#include "experiments/analysis/analysis.hpp"

#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/reproduction.hpp"
#include "experiments/report/summary_file.hpp"
#include "experiments/report/threats.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments::analysis;
using namespace dp::experiments::report;
using tests::TemporaryFolder;
using tests::write_repetitions;

namespace {

bool threatens(const Analysis& analysis, const std::string& title) {
    for (const Threat& threat : find_threats(analysis)) {
        if (threat.title == title) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("speedups are against serial, with intervals, and modes are compared in pairs") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05);
    write_repetitions(folder, "threads", 1, 0.05);
    write_repetitions(folder, "threads", 2, 0.0625);
    write_repetitions(folder, "procs", 2, 0.065);
    const Analysis analysis = analyse(folder.path());

    // A step of two workers takes twice the images: 2 * 0.05 / 0.0625.
    const Configuration* threads = analysis.find("threads", 2);
    REQUIRE(threads != nullptr);
    REQUIRE(threads->scaling);
    CHECK(threads->scaling->speedup.median == Approx(1.6));
    REQUIRE(threads->scaling->speedup.interval);
    CHECK(threads->scaling->speedup.interval->contains(1.6));
    CHECK(threads->scaling->efficiency.median == Approx(0.8));
    CHECK(threads->scaling->karp_flatt->median == Approx((1 / 1.6 - 0.5) / 0.5));
    // 100 steps of 128 images, the median repetition of serial taking 0.0502 s each.
    CHECK(analysis.work_images == 12800.0);
    CHECK(analysis.find("serial", 1)->work_seconds->median == Approx(5.02));

    // serial with threads at N = 1 comes first.
    REQUIRE(analysis.comparisons.size() == 2);
    CHECK(analysis.comparisons[0].first == "serial");
    CHECK(analysis.comparisons[0].second == "threads");
    CHECK(analysis.comparisons[0].verdict() == "no difference shown");
    CHECK(analysis.comparisons[1].ratio.median == Approx(0.065 / 0.0625));
    CHECK(analysis.comparisons[1].difference_shown());
    CHECK(analysis.comparisons[1].verdict() == "threads are faster");
    CHECK_THAT(
        describe(analysis.comparisons[1]),
        Catch::Contains(
            "N = 2: threads are 4.0 % faster than procs (median of 5 pairs, range 4.0 to 4.0 %)."));

    REQUIRE(analysis.waterfalls.size() == 2);
    CHECK(analysis.waterfalls[0].design == "threads");
    CHECK(analysis.waterfalls[0].baseline == "serial, N = 1");
    for (const auto& law : analysis.models[0].laws) {
        INFO(experiments::statistics::row_of(law.law).name);
        CHECK_FALSE(law.fit);  // one point
    }
    CHECK(analysis.correctness.size() == 2);
    CHECK(analysis.correctness[1].equal());
    CHECK(threatens(analysis, "Few repetitions"));  // 5, so a range
}

namespace {

/// `share` of forward and backward on a CPU; of rank 1 with `workers` of 2, the rest of the time in
/// the first repetition, and a little more in later ones.
void write_preempted(const TemporaryFolder& folder, std::size_t workers, double share,
                     const experiments::Conditions& conditions) {
    for (std::size_t r = 1; r <= 3; ++r) {
        const double longer = workers == 2 && share < 1.0 ? 1.6 : 1.0;
        auto run = tests::made_run(workers == 1 ? "serial" : "procs", workers, r,
                                   0.05 * longer * (1.0 + 0.002 * static_cast<double>(r)));
        for (core::WorkerReport& worker : run.result.workers) {
            core::WorkerEpoch& epoch = worker.epochs.front();
            epoch.phase_cpu_seconds = epoch.phase_seconds;
            for (double& seconds : *epoch.phase_cpu_seconds) seconds *= share;
            epoch.wait_for_off_cpu_seconds = 0.0;
        }
        run.conditions = conditions;
        tests::write_made_run(folder.path(), run);
    }
}

std::string cause_of(const Analysis& analysis) { return describe(analysis.waterfalls.at(0)); }

}  // namespace

TEST_CASE("workers without a CPU are told as that, and by whom") {
    const TemporaryFolder folder;
    write_preempted(folder, 1, 1.0, {});
    experiments::Conditions conditions;
    conditions.others_cpu_seconds = 6.5;
    conditions.steal_seconds = conditions.throttled_seconds = 0.0;
    SECTION("other programs") {
        write_preempted(folder, 2, 0.6, conditions);
        CHECK_THAT(cause_of(analyse(folder.path())),
                   Catch::Contains("are preemption") &&
                       Catch::EndsWith("off the CPUs for 19.3 s: other programs had the CPUs, for "
                                       "19.5 s of CPU time."));
    }
    SECTION("the hypervisor") {
        std::swap(conditions.others_cpu_seconds, conditions.steal_seconds);
        write_preempted(folder, 2, 0.6, conditions);
        CHECK_THAT(cause_of(analyse(folder.path())),
                   Catch::EndsWith(": the hypervisor had the CPUs, for 19.5 s."));
    }
    SECTION("the control group's quota") {
        std::swap(conditions.others_cpu_seconds, conditions.throttled_seconds);
        write_preempted(folder, 2, 0.6, conditions);
        CHECK_THAT(cause_of(analyse(folder.path())),
                   Catch::EndsWith(": the control group's quota stopped the workers, for 19.5 s."));
    }
    SECTION("nobody who was seen") {
        write_preempted(folder, 2, 0.6, {});
        CHECK_THAT(cause_of(analyse(folder.path())),
                   Catch::EndsWith(": it was not found who had the CPUs."));
    }
}

TEST_CASE("CPUs that others had, and what any run's file warns of, are threats") {
    const TemporaryFolder folder;
    for (const std::size_t repetition : {1U, 2U}) {
        auto run = tests::made_run("threads", 2, repetition, 0.05);
        run.result.total_seconds = 5.0;
        run.conditions.emplace();
        run.conditions->others_cpu_seconds = 0.3;  // a sixteenth of a CPU
        run.conditions->steal_seconds = 0.75;
        tests::write_made_run(folder.path(), run);
    }
    const auto file = folder.path() / "run-threads-n2-r2.json";
    auto document = nlohmann::ordered_json::parse(std::ifstream(file));
    document["context"]["warnings"] = {"the second run was warned of"};
    std::ofstream(file) << document;
    const Analysis analysis = analyse(folder.path());
    const auto text_of = [&](const std::string& title) {
        for (const Threat& threat : find_threats(analysis)) {
            if (threat.title == title) return threat.text;
        }
        return std::string();
    };
    CHECK_THAT(text_of("CPUs that others had"),
               Catch::StartsWith("During the runs the hypervisor had the CPUs for 1.50 s: "));
    CHECK_THAT(text_of("Warnings"), Catch::Contains("the second run was warned of"));
}

TEST_CASE("what serial runs at once lose as well is the machine's share, the rest the design's") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 3, 0.0);
    write_repetitions(folder, "threads", 2, 0.0625, 3, 0.0);
    for (const std::size_t repetition : {1U, 2U, 3U}) {
        // Steps of 60 ms in each of two runs.
        experiments::write_ceiling(
            folder.path(),
            {2, repetition, "2026-01-31T23:59:59Z", 128, {128 / 0.06, 128 / 0.06}, {}});
    }
    // Of another N.
    experiments::write_ceiling(folder.path(), {1, 1, "2026-01-31T23:59:59Z", 128, {1.0}, {}});
    const Analysis analysis = analyse(folder.path());
    const auto& split = analysis.waterfalls.at(0).ceiling;
    REQUIRE(split);
    // 100 steps of one worker, 50 of two: ideal 2.5 s, at the ceiling 3.0 s, measured 3.125 s.
    CHECK(split->machine_seconds.n == 3);
    CHECK(split->machine_seconds.median == Approx(0.5));
    CHECK(split->design_seconds.median == Approx(0.125));
    CHECK_THAT(describe(analysis.waterfalls[0]), Catch::Contains("2 serial runs at once") &&
                                                     Catch::Contains("lose 500 ms") &&
                                                     Catch::Contains("the design loses 125 ms"));
    CHECK(summary_json(analysis)["waterfalls"][0]["ceiling"]["machine_seconds"]["n"] == 3);
}

TEST_CASE("a damaged ceiling is named, and a folder without one has none") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 3);
    write_repetitions(folder, "threads", 2, 0.05, 3);
    CHECK_FALSE(analyse(folder.path()).waterfalls.at(0).ceiling);
    experiments::write_ceiling(folder.path(), {2, 1, "2026-01-31T23:59:59Z", 128, {1.0}, {}});
    CHECK_THROWS_WITH(analyse(folder.path()), Catch::Contains("ceiling-n2-r1.json"));
}

TEST_CASE("equal times show no difference between the modes") {
    const TemporaryFolder folder;
    for (std::size_t r = 1; r <= 5; ++r) {
        const double noise = r % 2 == 0 ? 1.01 : 0.99;
        tests::write_made_run(folder.path(), tests::made_run("threads", 2, r, 0.05 * noise));
        tests::write_made_run(folder.path(), tests::made_run("procs", 2, r, 0.05 / noise));
    }
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.comparisons.size() == 1);
    CHECK_FALSE(analysis.comparisons[0].difference_shown());
    CHECK_THAT(describe(analysis.comparisons[0]),
               Catch::Contains("no difference shown") &&
                   Catch::Contains("% would have been shown in 4 cases of 5"));
}

TEST_CASE("where two modes differ is shown where the noise of their steps hides it") {
    const TemporaryFolder folder;
    const std::array noise{1.02, 0.98, 1.01, 0.97, 1.00, 1.03};
    for (const bool first : {true, false}) {
        for (std::size_t r = 1; r <= noise.size(); ++r) {
            const double longer = first ? noise.at(r - 1) : noise.at(noise.size() - r);
            auto run = tests::made_run(first ? "threads" : "procs", 2, r, 0.05 * longer);
            for (core::WorkerReport& worker : run.result.workers) {
                auto& phases = worker.epochs.front().phase_seconds;
                // 100 steps: 0.5 ms of each against 0.9.
                phases[static_cast<std::size_t>(core::Phase::kExchange)] =
                    (first ? 0.05 : 0.09) * (1.0 + 0.1 * (longer - 1.0));
            }
            tests::write_made_run(folder.path(), run);
        }
    }
    const Analysis analysis = analyse(folder.path());
    CHECK_FALSE(analysis.comparisons.at(0).difference_shown());
    CHECK(analysis.comparisons[0].detectable_share() > 0.01);
    REQUIRE(analysis.contrasts.size() == 1);
    const Contrast& contrast = analysis.contrasts[0];
    // The kernel told of no memory.
    REQUIRE(contrast.aspects.size() == kAspects.size() - 1);
    const AspectComparison& transfer = contrast.aspects[0];
    CHECK(transfer.aspect->name == "transfer");
    CHECK(transfer.difference.median == Approx(-0.4e-3).epsilon(0.01));
    CHECK(transfer.difference_shown());
    CHECK(transfer.detectable() < 0.1e-3);
    CHECK_FALSE(contrast.aspects[1].difference_shown());  // update
    CHECK_THAT(
        describe(contrast),
        Catch::StartsWith("N = 2, threads against procs: less with threads: transfer (401 ") &&
            Catch::Contains("a step, 96.9 % interval ") &&
            Catch::EndsWith("; no difference shown in update, wait, start-up, context "
                            "switches."));
    const auto json = summary_json(analysis);
    CHECK(json["contrasts"][0]["aspects"][0]["difference_shown"] == true);
    CHECK(json["contrasts"][0]["aspects"][0]["difference"]["n"] == 6);
}

TEST_CASE("oversubscribed modes and those with too few pairs are not judged") {
    const TemporaryFolder folder;
    for (const char* mode : {"threads", "procs"}) {
        write_repetitions(folder, mode, 2, mode == std::string("threads") ? 0.05 : 0.06, 2);
        for (std::size_t r = 1; r <= 5; ++r) {
            auto run = tests::made_run(mode, 4, r, mode == std::string("threads") ? 0.05 : 0.06);
            run.settings.oversubscribed = true;
            tests::write_made_run(folder.path(), run);
        }
    }
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.comparisons.size() == 2);
    CHECK(analysis.comparisons[0].verdict() == "too few pairs to judge");
    CHECK(analysis.comparisons[1].verdict() == "oversubscribed, not judged");
    REQUIRE(analysis.contrasts.size() == 1);
    CHECK_FALSE(analysis.contrasts[0].judged());
    for (const std::string& finding : find_findings(analysis)) {
        CHECK_THAT(finding, !Catch::Contains("against"));
    }
}

TEST_CASE("comparisons over several N are corrected for their number") {
    const TemporaryFolder folder;
    for (std::size_t workers = 1; workers <= 6; ++workers) {
        for (std::size_t r = 1; r <= 5; ++r) {
            const double noise = 1.0 + 0.01 * static_cast<double>(r * (workers + 1) % 5);
            const double lead = workers == 2 ? 0.9 : 1.0;
            const double other = 1.0 + 0.01 * static_cast<double>(r * workers * 3 % 5);
            tests::write_made_run(folder.path(),
                                  tests::made_run("threads", workers, r, 0.05 * noise * lead));
            tests::write_made_run(folder.path(),
                                  tests::made_run("procs", workers, r, 0.05 * other));
        }
    }
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.comparisons.size() == 6);
    double least = 1.0;
    for (const Comparison& each : analysis.comparisons) {
        CHECK(each.judged == 6);
        least = std::min(least, each.test.p_value);
    }
    REQUIRE(6 * least < 1.0);
    for (const Comparison& each : analysis.comparisons) {
        CHECK(*each.adjusted_p >= 6 * least);
        if (each.test.p_value == least) CHECK(*each.adjusted_p == Approx(6 * least));
    }
}

TEST_CASE("without a baseline there is no speedup, not an invented one") {
    const TemporaryFolder folder;
    write_repetitions(folder, "threads", 2, 0.05);
    write_repetitions(folder, "threads", 4, 0.05);
    const Analysis analysis = analyse(folder.path());
    for (const Configuration& each : analysis.configurations) {
        CHECK(each.images_per_second);
        CHECK_FALSE(each.scaling);
        CHECK_FALSE(each.metrics->effective_speedup);
    }
    CHECK(analysis.waterfalls.empty());
    const auto json = summary_json(analysis);
    CHECK(json["configurations"][0]["speedup"].is_null());
    CHECK(json["configurations"][0]["images_per_second"]["n"] == 5);
}

TEST_CASE("a mode's own N = 1 is its baseline where serial is missing") {
    const TemporaryFolder folder;
    write_repetitions(folder, "procs", 1, 0.05);
    write_repetitions(folder, "procs", 2, 0.0625);
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.find("procs", 2)->scaling);
    CHECK(analysis.waterfalls.at(0).baseline == "procs, N = 1");
}

TEST_CASE("one repetition gives figures without intervals, and a threat says so") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 1);
    write_repetitions(folder, "threads", 2, 0.0625, 1);
    write_repetitions(folder, "procs", 2, 0.0625, 1);
    const Analysis analysis = analyse(folder.path());
    const Configuration* threads = analysis.find("threads", 2);
    CHECK(threads->scaling->speedup.median == Approx(1.6));
    CHECK_FALSE(threads->scaling->speedup.interval);
    CHECK_FALSE(threads->images_per_second->interval);
    CHECK_THAT(describe(analysis.comparisons.at(0)),
               Catch::Contains("1 pair of runs: too few to say"));
    CHECK(threatens(analysis, "Few repetitions"));
}

TEST_CASE("runs of other settings or machines are told, and not compared") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05);
    for (std::size_t r = 1; r <= 5; ++r) {
        auto record = tests::made_run("threads", 2, r, 0.0625);
        record.settings.config.seed = 7;
        tests::write_made_run(folder.path(), record);
    }
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.differences.size() == 1);
    CHECK(analysis.differences[0].setting == "seed");
    CHECK(analysis.find("threads", 2)->images_per_second);
    CHECK_FALSE(analysis.find("threads", 2)->scaling);
    CHECK(threatens(analysis, "Runs that cannot be compared"));
}

TEST_CASE("repetitions that differ in their settings have no median") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 2);
    auto record = tests::made_run("serial", 1, 3, 0.02);
    record.settings.config.batch_size = 64;
    tests::write_made_run(folder.path(), record);
    const Analysis analysis = analyse(folder.path());
    CHECK_FALSE(analysis.find("serial", 1)->images_per_second);
}

TEST_CASE("oversubscribed runs are left out of fits, predictions and waterfalls") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05);
    for (const std::size_t workers : {2U, 4U, 8U}) {
        for (std::size_t r = 1; r <= 5; ++r) {
            auto record = tests::made_run("threads", workers, r, 0.06);
            record.settings.oversubscribed = workers > 2;
            tests::write_made_run(folder.path(), record);
        }
    }
    const Analysis analysis = analyse(folder.path());
    CHECK(analysis.largest("threads")->workers == 2);
    CHECK(analysis.waterfalls.at(0).waterfall.workers == 2);
    CHECK_FALSE(analysis.models.at(0).laws.at(0).fit);
    CHECK(analysis.find("threads", 8)->scaling);  // shown, and marked
    CHECK_FALSE(analysis.find("threads", 8)->scaling->karp_flatt);
    CHECK(analysis.find("threads", 2)->scaling->karp_flatt);
    CHECK(threatens(analysis, "More workers than CPUs"));
}

TEST_CASE("a constructed Amdahl speedup is fitted") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05);
    // S = N / (1 + 0.1 (N - 1)); a step takes N batches.
    for (const std::size_t workers : {2U, 4U, 8U}) {
        const double n = static_cast<double>(workers);
        write_repetitions(folder, "threads", workers, 0.05 * (1.0 + 0.1 * (n - 1.0)));
    }
    const Analysis analysis = analyse(folder.path());
    const LawResult& amdahl = analysis.models.at(0).laws.at(0);
    REQUIRE(amdahl.fit);
    CHECK(amdahl.fit->serial.value == Approx(0.1));
    const auto json = summary_json(analysis);
    CHECK(json["models"][0]["laws"][0]["serial"]["value"].get<double>() == Approx(0.1));
}

TEST_CASE("repetitions that differ in a bit are told") {
    const TemporaryFolder folder;
    write_repetitions(folder, "threads", 2, 0.05, 1);
    auto record = tests::made_run("threads", 2, 2, 0.05);
    tests::write_made_run(folder.path(), record);
    CHECK_THAT(describe_correctness(analyse(folder.path())),
               Catch::Contains("N = 2 ended with equal parameters, bit for bit"));
    record.result.checksum = "0000000000000bad";
    tests::write_made_run(folder.path(), record);
    CHECK_THAT(describe_correctness(analyse(folder.path())),
               Catch::Contains("N = 2 ended with different parameters"));
}

TEST_CASE("different parameters at one N are told") {
    const TemporaryFolder folder;
    write_repetitions(folder, "threads", 2, 0.05, 1);
    auto record = tests::made_run("procs", 2, 1, 0.05);
    record.result.checksum = "0000000000000bad";
    tests::write_made_run(folder.path(), record);
    const Analysis analysis = analyse(folder.path());
    CHECK_FALSE(analysis.correctness.at(0).equal());
    CHECK_THAT(describe_correctness(analysis), Catch::Contains("different parameters"));
}

TEST_CASE("runs that add in no fixed order are named and not compared, but for one worker") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 1);
    for (const std::size_t workers : {1UL, 2UL}) {
        for (const std::size_t repetition : {1UL, 2UL}) {
            auto record = tests::made_run("threads", workers, repetition, 0.05);
            record.settings.config.reduction = record.result.reduction = "atomic";
            if (workers == 2) record.result.checksum = fmt::format("{:016x}", repetition);
            tests::write_made_run(folder.path(), record);
        }
    }
    const Analysis analysis = analyse(folder.path());
    REQUIRE(analysis.correctness.size() == 1);
    CHECK(analysis.correctness[0].workers == std::vector<std::size_t>{1});
    CHECK(analysis.correctness[0].runs == 3);
    CHECK(analysis.correctness[0].equal());
    CHECK(describe_correctness(analysis) ==
          "All runs of N = 1 that add in one order ended with equal parameters, bit for bit. "
          "threads/atomic adds in no fixed order, so that the last bits of the parameters differ "
          "from run to run: they are not compared.");
}

TEST_CASE("a folder in which every run failed is refused with the reason") {
    const TemporaryFolder folder;
    auto record = tests::made_run("procs", 2, 1, 1.0);
    record.failure = {core::ExitCode::kWorkerDied, "worker 1 was killed", 1, 9};
    tests::write_made_run(folder.path(), record);
    CHECK_THROWS_WITH(analyse(folder.path()), Catch::Contains("worker 1 was killed"));
}

TEST_CASE("a damaged allreduce.json is named") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 1);
    std::ofstream(folder.path() / "allreduce.json") << R"({"schema": "dp_compare.allreduce/9"})";
    CHECK_THROWS_WITH(analyse(folder.path()), Catch::Contains("allreduce.json") &&
                                                  Catch::Contains("dp_compare.allreduce/9"));
}

TEST_CASE("the command line that made the runs is put together from their settings") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 2);
    write_repetitions(folder, "threads", 2, 0.05, 2);
    const auto results = experiments::read_results(folder.path());
    CHECK_THAT(command_line_of(results),
               Catch::StartsWith("dp_compare --mode serial,threads -n 1,2 --reps 2 ") &&
                   Catch::Contains("--epochs 1") && Catch::EndsWith(" --out DIR"));
    CHECK(quote_for_shell("a b'c") == "'a b'\\''c'");
}
