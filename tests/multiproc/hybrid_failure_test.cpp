// A thread of one process of several is killed with its process, or stands still with it: the run
// ends, in time, and names it.
#include <sys/wait.h>

#include <csignal>

#include "core/data/synthetic.hpp"
#include "multiproc/hybrid/run_hybrid.hpp"
#include "multiproc/process_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;
using core::Phase;

namespace {

/// Sends its own process a signal when rank 3 enters `phase` of the third step.
class Saboteur final : public core::RunListener {
public:
    Saboteur(Phase phase, int signal) : phase_(phase), signal_(signal) {}

    void on_phase(const core::WorkerPosition& at) override {
        if (at.rank == 3 && at.step == 2 && at.phase == phase_) kill(getpid(), signal_);
    }

private:
    const Phase phase_;
    const int signal_;
};

void check_failure(Phase phase, int signal, core::ExitCode code, const std::string& what) {
    INFO("phase " << core::name_of(phase));
    Saboteur saboteur(phase, signal);
    const core::Dataset data = core::make_synthetic(1, 300, 60);
    core::RunConfig config = tests::small_config("hybrid", 4);
    config.threads_per_worker = 2;
    config.timeout_seconds = 2.0;
    std::optional<multiproc::WorkerFailure> failure;
    try {
        multiproc::run_hybrid(tests::make_job(config, data, saboteur));
    } catch (const multiproc::WorkerFailure& caught) {
        failure = caught;
    }
    REQUIRE(failure);
    INFO(failure->what());
    CHECK(failure->code() == code);
    CHECK(tests::holds(failure->what(), "the process of workers 2 to 3 (pid "));
    CHECK(tests::holds(failure->what(), what));
    CHECK_FALSE(failure->rank());
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
}

}  // namespace

TEST_CASE("a process of several ranks that is killed or stands still is named with its ranks") {
    for (const Phase phase : {Phase::kForward, Phase::kExchange, Phase::kPublish}) {
        check_failure(phase, SIGKILL, core::ExitCode::kWorkerDied, "killed by signal 9");
        check_failure(phase, SIGSTOP, core::ExitCode::kStalled, "has stalled");
    }
}
