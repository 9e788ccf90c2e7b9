// Workers of a real training run that die, in a given phase.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <new>
#include <set>
#include <utility>

#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/run_procs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;
using core::Phase;
using Clock = std::chrono::steady_clock;

namespace {

// The last one: a tie between ranks must not make it the culprit.
constexpr std::size_t kVictim = 2;

/// Sends a signal to itself when rank kVictim enters `phase` of the third step (kExchange: after
/// backward, where its peers are in the same phase), and notes when.
class Saboteur final : public core::RunListener {
public:
    Saboteur(Phase phase, int signal)
        : phase_(phase),
          signal_(signal),
          when_(static_cast<Clock::time_point*>(mmap(nullptr, sizeof(Clock::time_point),
                                                     PROT_READ | PROT_WRITE,
                                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
    ~Saboteur() override { munmap(when_, sizeof(*when_)); }

    void on_phase(const core::WorkerPosition& at) override {
        const Phase previous = std::exchange(previous_, at.phase);
        if (at.rank != kVictim || at.phase != phase_) return;
        if (at.step != 2 && phase_ != Phase::kEvaluate) return;
        if (phase_ == Phase::kExchange && previous != Phase::kBackward) return;
        *when_ = Clock::now();
        raise(signal_);
    }

    [[nodiscard]] Clock::duration since() const { return Clock::now() - *when_; }

private:
    Phase phase_;
    int signal_;
    Phase previous_ = Phase::kOther;  // in this process
    Clock::time_point* when_;         // shared with the children
};

std::set<std::string> shared_memory_files() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
        // Open MPI's come and go with other programs.
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("vader_segment")) names.insert(name);
    }
    return names;
}

/// All; with a sanitizer, which makes processes slow to start, the first and the last.
std::vector<multiproc::Reduction> reductions_to_try() {
    const auto all = multiproc::reductions();
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    return {all.front(), all.back()};
#else
    return {all.begin(), all.end()};
#endif
}

struct Outcome {
    std::optional<multiproc::WorkerFailure> failure;
    Clock::duration took{};
};

Outcome run_with(Saboteur& saboteur, double timeout_seconds, std::string_view reduction = "") {
    const core::Dataset data = core::make_synthetic(1, 300, 60);
    core::RunConfig config = tests::small_config("procs", 3);
    config.timeout_seconds = timeout_seconds;
    config.bucket_kib = 64;  // so that the exchange begins during backward
    config.reduction = reduction;
    const auto before = shared_memory_files();
    Outcome outcome;
    try {
        multiproc::run_procs(tests::make_job(config, data, saboteur));
    } catch (const multiproc::WorkerFailure& failure) {
        outcome.failure = failure;
        outcome.took = saboteur.since();
    }
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    CHECK(shared_memory_files() == before);
    return outcome;
}

}  // namespace

TEST_CASE("a worker killed in any phase ends the run within two seconds and is named") {
    for (const multiproc::Reduction& reduction : reductions_to_try()) {
        for (const Phase phase : {Phase::kLoad, Phase::kForward, Phase::kBackward, Phase::kExchange,
                                  Phase::kUpdate, Phase::kEvaluate}) {
            INFO(reduction.traits.name << ", phase " << core::name_of(phase));
            Saboteur saboteur(phase, SIGKILL);
            const Outcome outcome = run_with(saboteur, 60.0, reduction.traits.name);
            REQUIRE(outcome.failure);
            CHECK(outcome.failure->code() == core::ExitCode::kWorkerDied);
            CHECK(outcome.failure->rank() == kVictim);
            CHECK(outcome.failure->signal() == SIGKILL);
            const std::string message = outcome.failure->what();
            CHECK(tests::holds(message, "worker 2 (pid " + std::to_string(outcome.failure->pid())));
            CHECK(tests::holds(message, "in phase " + std::string(core::name_of(phase))));
            CHECK(outcome.took < std::chrono::seconds(2));
        }
    }
}

TEST_CASE("a worker that stands still past the timeout is the one named") {
    // In phase exchange all ranks are in the same place, and only one of them does not wait.
    for (const Phase phase : {Phase::kBackward, Phase::kExchange}) {
        for (const multiproc::Reduction& reduction : reductions_to_try()) {
            INFO(reduction.traits.name << ", phase " << core::name_of(phase));
            Saboteur saboteur(phase, SIGSTOP);
            const Outcome outcome = run_with(saboteur, 2.0, reduction.traits.name);
            REQUIRE(outcome.failure);
            CHECK(outcome.failure->code() == core::ExitCode::kStalled);
            CHECK(outcome.failure->rank() == kVictim);
            CHECK(
                tests::holds(outcome.failure->what(),
                             fmt::format("in phase {} of epoch 1, step 3", core::name_of(phase))));
        }
    }
}
