// What differs between the set-ups of two folders, and which checksums have to be equal.
#include "experiments/diff/setup.hpp"

#include "experiments/diff/table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/diff_runs.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::diff;
using tests::add_runs;
using tests::compare;
using tests::find_difference;
using tests::set;
using tests::set_setting;

TEST_CASE("another machine and other work are a warning above the table") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 5);
    add_runs(after, "threads", 2, 50.0, 5, 5);
    add_runs(before, "procs", 2, 50.0, 5);
    add_runs(after, "procs", 2, 50.0, 5, 5);
    const ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    set(b, "context", "cpu_model", "another CPU");
    set(b, "context", "onednn_isa", "avx2");
    set(b, "config", "precision", "bf16");
    set(b, "context", "kernel", "Linux 9");
    set_setting(b.runs.front(), "batch_size", 64U);
    const auto result = compare(a, b, 0.05);
    CHECK_FALSE(result.comparable());
    for (const char* field : {"cpu_model", "onednn_isa", "precision"}) {
        INFO(field);
        const SetupDifference* const difference = find_difference(result, field);
        REQUIRE(difference != nullptr);
        CHECK(difference->affects_speed);
        CHECK(difference->configurations.empty());
    }
    CHECK(find_difference(result, "cpu_model")->before == "\"a CPU\"");
    CHECK(find_difference(result, "cpu_model")->after == "\"another CPU\"");
    REQUIRE(find_difference(result, "kernel") != nullptr);
    CHECK_FALSE(find_difference(result, "kernel")->affects_speed);
    // One repetition of one configuration was made otherwise.
    REQUIRE(find_difference(result, "batch_size") != nullptr);
    CHECK(find_difference(result, "batch_size")->after == "128 or 64");
    CHECK(find_difference(result, "batch_size")->configurations ==
          std::vector<std::string>{"threads N = 2"});

    const std::string text = format_comparison(a, b, result);
    const std::size_t warning = text.find("WARNING");
    REQUIRE(warning != std::string::npos);
    CHECK(warning < text.find("cpu_model"));
    CHECK(text.find("cpu_model") < text.find("after/before"));
    CHECK(text.find("kernel") > text.find("after/before"));
}

TEST_CASE("a checksum that changed is told where settings, build and CPU are equal") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 50.0, 2, 5);
    const ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    CHECK(compare(a, b, 0.05).checksums.empty());
    for (Run& run : b.runs) run.result.checksum = "0000000000000abc";
    set(b, "config", "overlap", false);  // no bit depends on it
    const auto changed = compare(a, b, 0.05);
    REQUIRE(changed.checksums.size() == 1);
    CHECK(changed.checksums[0].configuration == "threads N = 2");
    CHECK(changed.checksums[0].before == "00000000000000ff");
    CHECK(changed.checksums[0].after == "0000000000000abc");
    set(b, "config", "seed", 2U);
    CHECK(compare(a, b, 0.05).checksums.empty());
    set(b, "config", "seed", a.runs[0].settings.config.seed);
    set(b, "context", "cpu_model", "another CPU");
    CHECK(compare(a, b, 0.05).checksums.empty());
}

TEST_CASE("checksums are compared where gradients were added in one order") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 3, 50.0, 1);
    add_runs(after, "threads", 3, 50.0, 1);
    ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    for (Run& run : b.runs) run.result.checksum = "0000000000000abc";
    const auto changed = [&](const char* reduction_before, const char* reduction_after) {
        a.runs[0].result.reduction = reduction_before;
        b.runs[0].result.reduction = reduction_after;
        return compare(a, b, 0.05).checksums.size();
    };
    CHECK(changed("in-place", "master") == 1);
    CHECK(changed("in-place", "tree") == 0);
    CHECK(changed("atomic", "atomic") == 0);
}
