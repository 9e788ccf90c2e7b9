// The collective benchmark: its rows, its checks, and the subcommand as a user meets it.
#include <fstream>
#include <regex>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/base/memory_block.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/allreduce/rounds.hpp"
#include "experiments/command_line.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using namespace dp::experiments;
using tests::holds;
using tests::run_program;

namespace {

/// The sum over `world_size` ranks as exchange of rank 0, but for what `spoil` does to it.
class ComputedExchange final : public core::GradientExchange {
public:
    using Spoil = std::function<void(std::span<float> sums, std::size_t round)>;

    ComputedExchange(std::size_t world_size, std::span<float> gradients, Spoil spoil)
        : world_size_(world_size),
          gradients_(gradients),
          all_{0, gradients.size()},
          spoil_(std::move(spoil)) {}

    const core::ExchangeTraits& traits() const override { return traits_; }
    std::span<const core::Range> buckets() const override { return {&all_, 1}; }
    void begin_step() override {}
    void hand_over(std::size_t) override {}
    void progress() override {}
    void finish(std::size_t) override {
        for (std::size_t i = 0; i < gradients_.size(); ++i) {
            for (std::size_t rank = 1; rank < world_size_; ++rank) {
                gradients_[i] += allreduce::addend(rank, round_, i);
            }
        }
        spoil_(gradients_, round_);
        ++round_;
    }
    std::span<const core::Range> update_ranges() const override { return {&all_, 1}; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    void publish(std::span<float>) override {}
    void broadcast(std::span<float>) override {}
    void all_gather(std::span<const std::byte>, std::span<std::byte>) override {}
    std::vector<std::string> gather(std::string_view mine) override { return {std::string(mine)}; }
    core::ExchangeStats stats() const override { return {}; }

private:
    std::size_t world_size_;
    std::span<float> gradients_;
    core::Range all_;
    Spoil spoil_;
    core::ExchangeTraits traits_;
    std::size_t round_ = 0;
};

/// Wrong floats that four rounds of two ranks (rank 1's thread only meets) find.
std::size_t wrong_with(const ComputedExchange::Spoil& spoil) {
    allreduce::Scoreboard board(2, {1}, 60.0);
    std::vector<float> gradients(10'000);
    ComputedExchange exchange(2, gradients, spoil);
    std::thread other([&] {
        for (std::size_t round = 0;; ++round) {
            board.meet();
            if (!board.goes_on()) return;
            board.meet();
            board.meet();
            board.record(1, round, allreduce::now_ns(), allreduce::now_ns(), 0);
            board.meet();
        }
    });
    allreduce::run_rounds(board, 0, exchange, gradients);
    other.join();
    CHECK(board.times_us().size() == 1);
    return board.wrong();
}

allreduce::Row row_of(std::size_t workers, double median_us, std::size_t wrong = 0) {
    allreduce::Row row;
    row.bytes = 4'000'000;
    row.mode = "procs";
    row.workers = workers;
    row.reduction = "ring";
    row.repetitions = 3;
    row.time_us.median = median_us;
    row.wrong = wrong;
    return row;
}

struct Line {
    std::string mode, reduction;
    std::size_t bytes = 0, count = 0, workers = 0;
    double median = 0.0, least = 0.0, most = 0.0, algbw = 0.0, busbw = 0.0;
    std::string wrong;
};

/// The rows of a table as a script reads them: words between spaces, comments left out.
std::vector<Line> parse_table(const std::string& text) {
    std::vector<Line> lines;
    std::stringstream stream(text);
    for (std::string one; std::getline(stream, one);) {
        if (one.starts_with("#")) continue;
        Line line;
        std::stringstream words(one);
        words >> line.bytes >> line.count >> line.mode >> line.workers >> line.reduction >>
            line.median >> line.least >> line.most >> line.algbw >> line.busbw >> line.wrong;
        CHECK(words);
        lines.push_back(line);
    }
    return lines;
}

std::string usage_error(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {"dp_compare", "allreduce"});
    const auto error = tests::error_of([&] {
        experiments::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    });
    return error && error->code() == core::ExitCode::kUsage ? error->what() : "";
}

}  // namespace

TEST_CASE("busbw is algbw times 2 (N-1) / N") {
    CHECK(row_of(2, 1000.0).algbw() == 4.0);  // 4 MB in 1 ms
    CHECK(row_of(1, 1000.0).busbw() == 0.0);
    CHECK(row_of(2, 1000.0).busbw() == 4.0);
    CHECK(row_of(4, 1000.0).busbw() == 6.0);
}

TEST_CASE("a row ends at its repetitions, or when its time is over") {
    using Limits = allreduce::RoundLimits;
    CHECK_FALSE(Limits{7}.enough(Limits::kWarmUp + 6, 1e9));
    CHECK(Limits{7}.enough(Limits::kWarmUp + 7, 0.0));
    CHECK_FALSE(Limits{}.enough(Limits::kWarmUp + Limits::kFewest - 1, 1e9));
    CHECK(Limits{}.enough(Limits::kWarmUp + Limits::kFewest, 1e9));
    CHECK_FALSE(Limits{}.enough(Limits::kWarmUp + Limits::kMost - 1, 0.0));
    CHECK(Limits{}.enough(Limits::kWarmUp + Limits::kMost, 0.0));
}

TEST_CASE("a wrong, lost, doubled or stale addend is counted in #wrong") {
    CHECK(wrong_with([](std::span<float>, std::size_t) {}) == 0);
    const auto in_last_round = [](auto change) {
        return [change](std::span<float> sums, std::size_t round) {
            if (round == allreduce::RoundLimits::kWarmUp) change(sums, round);
        };
    };
    CHECK(wrong_with(
              in_last_round([](std::span<float> sums, std::size_t) { sums[9'999] += 1.F; })) == 1);
    CHECK(wrong_with(in_last_round([](std::span<float> sums, std::size_t round) {
              for (std::size_t i = 0; i < 4'097; ++i) sums[i] -= allreduce::addend(1, round, i);
          })) > 4'000);
    CHECK(wrong_with(in_last_round([](std::span<float> sums, std::size_t round) {
              for (std::size_t i = 0; i < 4'097; ++i) sums[i] += allreduce::addend(1, round, i);
          })) > 4'000);
    CHECK(wrong_with(in_last_round([](std::span<float> sums, std::size_t round) {
              for (std::size_t i = 0; i < 4'097; ++i) {
                  sums[i] += allreduce::addend(1, round - 1, i) - allreduce::addend(1, round, i);
              }
          })) > 4'000);
}

TEST_CASE("a row with a wrong sum shows no rate and fails the benchmark with code 5") {
    const std::string good = allreduce::format_row(row_of(2, 1000.0));
    CHECK(std::regex_search(good, std::regex(R"( 4\.00 +4\.00 +0$)")));
    const std::string bad = allreduce::format_row(row_of(2, 1000.0, 12));
    CHECK(std::regex_search(bad, std::regex(R"( ring +- +- +- +- +- +12$)")));
    CHECK(allreduce::format_header().size() == good.size());

    const std::vector<allreduce::Row> right(3, row_of(2, 1000.0));
    CHECK_NOTHROW(allreduce::verify(right));
    std::vector<allreduce::Row> wrong = right;
    wrong[1] = row_of(4, 1000.0, 12);
    const auto error = tests::error_of([&] { allreduce::verify(wrong); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kVerification);
    CHECK(holds(error->what(), "1 of 3 rows"));
    CHECK(holds(error->what(), "N = 4"));
}

TEST_CASE("every reduction sums exactly for 1, 2 and 3 workers") {
    const auto result =
        run_program({"allreduce", "-n", "1,2,3", "--bytes", "4,4096,300000", "--repetitions", "4"});
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "# bytes"));
    const std::vector<Line> lines = parse_table(result.out);
    CHECK(lines.size() == 3 * 3 * allreduce::chosen_reductions({}).size());
    for (const Line& line : lines) {
        CHECK(line.wrong == "0");
        CHECK(line.count * sizeof(float) == line.bytes);
        CHECK(line.least <= line.median);
        CHECK(line.median <= line.most);
    }
}

TEST_CASE("hybrid's rows have a rank for each thread of each process") {
    const auto result =
        run_program({"allreduce", "--mode", "hybrid", "-n", "1,2,3", "--threads-per-worker", "2",
                     "--bytes", "4,4096,300000", "--repetitions", "4"});
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    const std::vector<Line> lines = parse_table(result.out);
    const std::size_t of_n = 3 * find_mode("hybrid").reductions().size();
    REQUIRE(lines.size() == 3 * of_n);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(lines[i].workers == 2 * (1 + i / of_n));
        CHECK(lines[i].wrong == "0");
        CHECK(lines[i].median > 0.0);
    }
    CHECK(holds(result.out, "2 threads a process"));
    CHECK(run_program({"allreduce", "--mode", "hybrid", "-n", "200"}).exit_code == 2);
}

TEST_CASE("allreduce.json has the rows of the table and is not overwritten unasked") {
    const tests::TemporaryFolder folder;
    const std::vector<std::string> arguments{"allreduce", "--mode", "procs",
                                             "--bytes",   "8192",   "--repetitions",
                                             "3",         "--out",  folder.path().string()};
    const auto result = run_program(arguments);
    REQUIRE(result.exit_code == 0);
    const std::vector<Line> lines = parse_table(result.out);
    const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "allreduce.json"));
    CHECK(json.at("schema") == "dp_compare.allreduce/1");
    CHECK(json.at("context").contains("cpu_model"));
    const auto& rows = json.at("rows");
    REQUIRE(rows.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(rows[i].at("mode") == "procs");
        CHECK(rows[i].at("reduction") == lines[i].reduction);
        CHECK(rows[i].at("bytes") == 8192);
        CHECK(rows[i].at("count") == 2048);
        CHECK(rows[i].at("repetitions") == 3);
        CHECK(rows[i].at("wrong") == 0);
        CHECK(std::abs(rows[i].at("time_median_us").get<double>() - lines[i].median) < 0.006);
    }
    CHECK(run_program(arguments).exit_code == 2);
    auto forced = arguments;
    forced.push_back("--force");
    CHECK(run_program(forced).exit_code == 0);
}

TEST_CASE("more ranks than CPUs are marked in their rows with one warning") {
    const auto cpus = std::to_string(2 * std::thread::hardware_concurrency());
    const auto result =
        run_program({"allreduce", "-n", "1," + cpus, "--bytes", "4096,8192", "--repetitions", "2"});
    CHECK(result.exit_code == 0);
    const std::size_t first = result.err.find("warning");
    CHECK(first != std::string::npos);
    CHECK(result.err.find("warning", first + 1) == std::string::npos);
    std::stringstream stream(result.out);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("#")) continue;
        CHECK(holds(line, "oversubscribed") == (parse_table(line).front().workers > 1));
    }
}

TEST_CASE("allreduce names what is wrong with its options") {
    CHECK(holds(usage_error({"--byte", "4"}), "--byte (did you mean --bytes?)"));
    CHECK(holds(usage_error({"--byte", "4"}), "dp_compare allreduce --help"));
    CHECK(holds(usage_error({"--epochs", "4"}), "--epochs"));  // training's
    CHECK(holds(usage_error({"--bytes", "6"}), "multiple of 4"));
    CHECK(holds(usage_error({"--bytes", "0"}), "'0'"));
    CHECK(holds(usage_error({"--bytes", "8,8"}), "names 8 twice"));
    CHECK(holds(usage_error({"-n", "0"}), "-n '0'"));
    CHECK(holds(usage_error({"--mode", "serial"}), "'serial'"));
    CHECK(holds(usage_error({"--reduction", "rng"}), "'rng'"));
    CHECK(holds(usage_error({"--mode", "procs", "--reduction", "in-place"}), "'in-place'"));
    CHECK(holds(usage_error({"--repetitions", "0"}), "'0'"));
}

TEST_CASE("a subcommand that is misspelt is named with the nearest") {
    const auto result = run_program({"alreduce"});
    CHECK(result.exit_code == 2);
    CHECK(holds(result.err, "alreduce (did you mean allreduce?)"));
    const auto misplaced = run_program({"--mode", "threads", "allreduce"});
    CHECK(misplaced.exit_code == 2);
    CHECK(holds(misplaced.err, "--mode stands before allreduce"));
}

TEST_CASE("help names the subcommands and each has its own") {
    CHECK(holds(run_program({"--help"}).out, "allreduce"));
    const auto help = run_program({"allreduce", "--help"});
    CHECK(help.exit_code == 0);
    CHECK(holds(help.out, "--repetitions"));
    CHECK_FALSE(holds(help.out, "--epochs"));
}
