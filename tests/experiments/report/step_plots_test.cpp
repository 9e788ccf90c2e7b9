// The data of the plots of single steps.
#include "experiments/report/step_plots.hpp"

#include <sstream>

#include "experiments/sweep/traced_step.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using core::StepPart;
using experiments::TraceContents;
using experiments::TraceSlice;

namespace {

/// A run of 100 steps of which the first of each ten takes 90 ms, the others 50.
experiments::Run run_with_steps(std::size_t workers) {
    experiments::Run run = tests::made_run("procs", workers, 1, 0.05);
    tests::add_steps(run, false);
    auto& backward = run.result.workers.back().steps[0][StepPart::kBackward];
    for (std::size_t step = 0; step < 100; step += 10) backward[step] += 40'000;
    return run;
}

experiments::analysis::Analysis analysis_of(std::vector<experiments::Run> runs) {
    for (experiments::Run& run : runs) run.context = {{"usable_cpus", 2.0}};
    return experiments::analysis::analyse(experiments::results_of("", std::move(runs)));
}

/// Steps 11, 12 and 13 of two ranks, of 70, 40 and 51 ms on the slower.
TraceContents trace_of(std::size_t workers) {
    TraceContents trace{"procs, 2 workers", workers, {}};
    double begin = 0.0;
    for (const auto& [step, seconds] :
         {std::pair<std::size_t, double>{11, 0.070}, {12, 0.040}, {13, 0.051}}) {
        for (const std::size_t rank : {0U, 1U}) {
            const double end = begin + seconds - 0.001 * static_cast<double>(1 - rank);
            for (const char* const category : {"step", "phase"}) {
                trace.slices.push_back(
                    {rank, experiments::TraceRow::kCompute, "forward", category, begin, end, step});
            }
        }
        begin += 0.1;
    }
    return trace;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("the timeline shows the step nearest to the median, and says both") {
    const auto analysis = analysis_of({run_with_steps(2)});
    const auto plot = experiments::report::timeline(analysis, "procs", trace_of(2));
    CHECK_THAT(plot.caption, Catch::Contains("This step takes 51.0 ms, the median step of the "
                                             "untraced runs 50.0 ms."));
    CHECK_THAT(plot.alt, Catch::Contains("step 13 of procs"));
    const auto lines = lines_of(plot.csv);
    REQUIRE(lines.size() == 3);  // the phase of each rank
    CHECK(tests::holds(lines[2], "1,compute,phase,forward,0,51"));
    // Of another number of workers no median is known.
    const auto other = experiments::report::timeline(analysis, "procs", trace_of(3));
    CHECK_THAT(other.alt, Catch::Contains("step 12 of procs"));
    CHECK_FALSE(tests::holds(other.caption, "median"));
}

TEST_CASE("of a traced run the step nearest to the sweep's median and its neighbours are kept") {
    const std::vector<experiments::Run> runs{run_with_steps(2)};
    const core::RunConfig& config = runs.front().settings.config;
    core::RunResult traced = runs.front().result;
    for (auto& steps : traced.workers[0].steps[0].columns) {
        for (auto& time : steps) time += 900;  // all others are slower
    }
    for (auto& column : traced.workers[0].steps[0].columns) {
        if (!column.empty()) column[20] -= 900;
    }
    traced.workers[1].steps[0][StepPart::kBackward][20] -= 40'000;
    const auto shown = [&](core::StepRange range) {
        return experiments::steps_to_show(runs, config, traced, range);
    };
    CHECK(shown({11, 30}) == core::StepRange{20, 22});  // counted from 1
    CHECK(shown({21, 30}) == core::StepRange{21, 22});
    CHECK(shown({11, 21}) == core::StepRange{20, 21});
    CHECK(experiments::steps_to_show({}, config, traced, {11, 30}) == core::StepRange{11, 12});
    core::WorkerTrace trace;
    for (std::size_t step = 19; step <= 24; ++step) {
        trace.events.emplace_back().step = step;
    }
    experiments::keep_steps(trace, {20, 22});
    CHECK(trace.events.size() == 3);
    CHECK(trace.events.front().step == 20);
}

TEST_CASE("a histogram holds every step, in bars or beyond them") {
    auto slow = run_with_steps(2);
    slow.result.workers[0].steps[0][StepPart::kLoad][55] += 400'000;
    auto oversubscribed = run_with_steps(4);
    oversubscribed.settings.oversubscribed = true;
    const auto analysis = analysis_of({run_with_steps(1), slow, std::move(oversubscribed)});
    std::vector<std::reference_wrapper<const experiments::analysis::Configuration>> all(
        analysis.configurations.begin(), analysis.configurations.end());
    const auto plot = experiments::report::steps_histogram(all);
    std::map<std::string, std::size_t> in_bars;
    std::map<std::string, std::size_t> beyond;
    auto lines = lines_of(plot.csv);
    lines.erase(lines.begin());
    for (const std::string& line : lines) {
        std::vector<std::string> cells;
        std::istringstream in(line);
        for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
        REQUIRE(cells.size() == 11);
        in_bars[cells[1]] += std::stoul(cells[5]);
        beyond[cells[1]] = std::stoul(cells[8]);
    }
    CHECK(in_bars == std::map<std::string, std::size_t>{{"1", 100}, {"2", 99}});
    CHECK(beyond == std::map<std::string, std::size_t>{{"1", 0}, {"2", 1}});
    CHECK_THAT(plot.alt, Catch::Contains("procs, N = 2: half of the steps take 50.0 ms or more"));
}
