#include "multiproc/mpi/roll_call.hpp"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "multiproc/mpi/mpi_call.hpp"

namespace dp::multiproc {
namespace {

// Each poll of the library takes a fraction of a microsecond; a peer on another core answers within
// a few.
constexpr std::size_t kPolls = 100;
// Until then a wait only yields its core: a sleep is as long as the messages of a step take.
constexpr auto kYielding = std::chrono::milliseconds(1);
constexpr auto kSleep = std::chrono::microseconds(50);
// A rank that waits answers within a few sleeps, if it has a core.
constexpr auto kAnswerTime = std::chrono::seconds(1);
// What a rank gives those before it to tell of a failure that all have seen.
constexpr auto kGrace = std::chrono::milliseconds(500);

}  // namespace

RollCall::RollCall(MPI_Comm world) : world_(world) {
    check_mpi(MPI_Comm_rank(world_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(world_, &size_), "MPI_Comm_size");
    check_mpi(MPI_Irecv(nullptr, 0, MPI_BYTE, MPI_ANY_SOURCE, kQuestionTag, world_, &question_),
              "MPI_Irecv");
}

RollCall::~RollCall() {
    MPI_Cancel(&question_);
    MPI_Wait(&question_, MPI_STATUS_IGNORE);
}

void RollCall::answer() {
    const auto turn = lock();
    int asked = 0;
    MPI_Status status{};
    check_mpi(MPI_Test(&question_, &asked, &status), "MPI_Test");
    if (asked == 0) return;
    // Without a byte it needs nobody who receives it.
    check_mpi(MPI_Send(nullptr, 0, MPI_BYTE, status.MPI_SOURCE, kAnswerTag, world_), "MPI_Send");
    check_mpi(MPI_Irecv(nullptr, 0, MPI_BYTE, MPI_ANY_SOURCE, kQuestionTag, world_, &question_),
              "MPI_Irecv");
}

std::optional<std::size_t> RollCall::find_silent(std::optional<std::size_t> peer) {
    std::vector<MPI_Request> answers(world_size(), MPI_REQUEST_NULL);
    auto turn = lock();
    for (int other = 0; other < size_; ++other) {
        if (other == rank_) continue;
        check_mpi(MPI_Send(nullptr, 0, MPI_BYTE, other, kQuestionTag, world_), "MPI_Send");
        check_mpi(MPI_Irecv(nullptr, 0, MPI_BYTE, other, kAnswerTag, world_,
                            &answers[static_cast<std::size_t>(other)]),
                  "MPI_Irecv");
    }
    const auto deadline = Clock::now() + kAnswerTime;
    int all = 0;
    while (all == 0 && Clock::now() < deadline) {
        check_mpi(MPI_Testall(size_, answers.data(), &all, MPI_STATUSES_IGNORE), "MPI_Testall");
        turn.unlock();
        answer();
        std::this_thread::sleep_for(kSleep);
        turn.lock();
    }
    std::optional<std::size_t> silent;
    for (std::size_t other = 0; other < answers.size(); ++other) {
        int answered = 0;
        check_mpi(MPI_Test(&answers[other], &answered, MPI_STATUS_IGNORE), "MPI_Test");
        if (answered == 0 && (!silent || other == peer)) silent = other;
    }
    return silent;
}

void RollCall::throw_stalled(double seconds, std::optional<std::size_t> peer) {
    const std::optional<std::size_t> silent = find_silent(peer);
    // All ranks may have come to this at once; those that leave later still answer until then.
    const auto end = Clock::now() + std::min(rank_, 4) * kGrace;
    while (Clock::now() < end) {
        answer();
        std::this_thread::sleep_for(kSleep);
    }
    throw StalledRank(silent, rank(), seconds, name_);
}

RollCall::Wait::Wait(RollCall& roll_call, const core::WaitLimits& limits,
                     std::optional<std::size_t> peer)
    : roll_call_(roll_call), limits_(limits), peer_(peer) {
    if (limits_.waiting != nullptr) limits_.waiting->store(1, std::memory_order_relaxed);
}

double RollCall::Wait::end() const {
    if (limits_.waiting != nullptr) limits_.waiting->store(0, std::memory_order_relaxed);
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

void RollCall::Wait::step() {
    const core::WaitKind kind = limits_.kind;
    ++steps_;
    const bool polls =
        kind == core::WaitKind::kSpin || (kind == core::WaitKind::kAuto && steps_ <= kPolls);
    if (polls && steps_ % kPolls != 0) return;
    if (limits_.failed != nullptr && limits_.failed->load(std::memory_order_acquire) != 0) {
        throw core::PeerFailed();
    }
    roll_call_.answer();
    const auto waited = Clock::now() - start_;
    const double seconds = std::chrono::duration<double>(waited).count();
    if (seconds > limits_.timeout_seconds) roll_call_.throw_stalled(seconds, peer_);
    if (polls) return;
    if (kind == core::WaitKind::kYield || (kind == core::WaitKind::kAuto && waited < kYielding)) {
        sched_yield();
    } else {
        std::this_thread::sleep_for(kSleep);
    }
}

}  // namespace dp::multiproc
