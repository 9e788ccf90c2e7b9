#include "experiments/allreduce/rounds.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

#include <fmt/format.h>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/file_mapping.hpp>

#include "core/base/affinity.hpp"
#include "core/base/check.hpp"
#include "core/base/error.hpp"

namespace dp::experiments::allreduce {
namespace {

// How often a rank that waits for a meeting offers its core before it sleeps: a few milliseconds.
// Ranks need not be late often, since one that slept takes 27 us to wake.
constexpr int kYields = 5000;
// Pauses before that: about 3 us, more than a meeting of ranks that are all awake.
constexpr int kPauses = 100;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/// Binds the calling thread to one CPU of those it may use, in turn, as mpirun --bind-to core does.
/// Ranks that only exchange yield so often that the system may leave two on one core for seconds;
/// ranks that train do not.
void bind_to_cpu(std::size_t rank) {
    const std::vector<int> cpus = core::started_cpus();
    (void)core::run_on({&cpus[rank % cpus.size()], 1});  // refused, the thread stays where it was
}

}  // namespace

Scoreboard::Scoreboard(std::size_t world_size, RoundLimits limits, double timeout_seconds)
    : world_size_(world_size),
      limits_(limits),
      timeout_seconds_(timeout_seconds),
      file_(memfd_create("scoreboard", MFD_CLOEXEC)) {
    static_assert(std::is_trivially_destructible_v<Header>);
    if (file_ < 0 || ftruncate(file_, static_cast<off_t>(size_bytes())) != 0) {
        refuse(std::strerror(errno));
    }
    map(path());
    new (header_) Header;
    new (records_) Record[world_size];
}

Scoreboard::Scoreboard(const std::string& path, std::size_t world_size, RoundLimits limits,
                       double timeout_seconds)
    : world_size_(world_size), limits_(limits), timeout_seconds_(timeout_seconds) {
    map(path);
}

Scoreboard::~Scoreboard() {
    if (file_ >= 0) close(file_);
}

std::string Scoreboard::path() const { return fmt::format("/proc/{}/fd/{}", getpid(), file_); }

std::size_t Scoreboard::size_bytes() const {
    return sizeof(Header) + world_size_ * sizeof(Record) +
           world_size_ * limits_.capacity() * sizeof(Stamps);
}

void Scoreboard::map(const std::string& path) try {
    const boost::interprocess::file_mapping file(path.c_str(), boost::interprocess::read_write);
    region_ = {file, boost::interprocess::read_write, 0, size_bytes()};
    auto* at = static_cast<std::byte*>(region_.get_address());
    header_ = reinterpret_cast<Header*>(at);
    at += sizeof(Header);
    records_ = reinterpret_cast<Record*>(at);
    at += world_size_ * sizeof(Record);
    stamps_ = reinterpret_cast<Stamps*>(at);  // left as they are: untouched
} catch (const boost::interprocess::interprocess_exception& error) {
    refuse(error.what());
}

void Scoreboard::refuse(const char* why) const {
    throw core::Error(core::ExitCode::kResources,
                      "cannot map {} MiB for the stamps of {} workers ({}): use fewer "
                      "--repetitions",
                      size_bytes() >> 20, world_size_, why);
}

void Scoreboard::decide(std::size_t round) {
    const std::int64_t now = now_ns();
    if (round == 0) header_->started_ns = now;
    const double seconds = static_cast<double>(now - header_->started_ns) * 1e-9;
    // Relaxed, here and in goes_on(): the meeting between them orders both.
    if (limits_.enough(round, seconds)) header_->over.store(1, std::memory_order_relaxed);
}

bool Scoreboard::goes_on() const { return header_->over.load(std::memory_order_relaxed) == 0; }

void Scoreboard::meet() {
    core::SharedCounter& meetings = header_->meetings;
    // Cannot change before this rank has arrived.
    const std::uint32_t before = meetings.load();
    if (header_->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == world_size_) {
        header_->arrived.store(0, std::memory_order_relaxed);  // ordered by publish()
        meetings.publish(before + 1);
        return;
    }
    for (int i = 0; i < kPauses && meetings.load() == before; ++i) pause();
    for (int i = 0; i < kYields && meetings.load() == before; ++i) sched_yield();
    meetings.wait([before](std::uint32_t now) { return now != before; },
                  {&header_->failed, timeout_seconds_, nullptr});
}

void Scoreboard::record(std::size_t rank, std::size_t round, std::int64_t arrival_ns,
                        std::int64_t end_ns, std::size_t wrong) {
    stamps(rank)[round] = {arrival_ns, end_ns};
    records_[rank].rounds = round + 1;
    records_[rank].wrong += wrong;
}

std::vector<double> Scoreboard::times_us() const {
    std::vector<double> times;
    for (std::size_t round = RoundLimits::kWarmUp; round < records_[0].rounds; ++round) {
        std::int64_t arrival = std::numeric_limits<std::int64_t>::min();
        std::int64_t end = arrival;
        for (std::size_t rank = 0; rank < world_size_; ++rank) {
            DP_CHECK(records_[rank].rounds, ==, records_[0].rounds);
            arrival = std::max(arrival, stamps(rank)[round].arrival_ns);
            end = std::max(end, stamps(rank)[round].end_ns);
        }
        times.push_back(static_cast<double>(end - arrival) * 1e-3);
    }
    return times;
}

std::size_t Scoreboard::wrong() const {
    std::size_t sum = 0;
    for (std::size_t rank = 0; rank < world_size_; ++rank) sum += records_[rank].wrong;
    return sum;
}

void run_rounds(Scoreboard& board, std::size_t rank, core::GradientExchange& exchange,
                std::span<float> gradients) {
    bind_to_cpu(rank);
    for (std::size_t round = 0;; ++round) {
        if (rank == 0) board.decide(round);
        exchange.begin_step();
        fill_addends(rank, round, gradients);
        // Twice: ranks leave the first as the system wakes them, the second within a microsecond
        // of each other. Otherwise those that are early would have done their part by the time the
        // last arrives.
        board.meet();
        if (!board.goes_on()) return;
        board.meet();
        const std::int64_t arrival = now_ns();
        exchange.reduce();
        exchange.publish(gradients);  // in place of parameters, which are as large
        const std::int64_t end = now_ns();
        // Otherwise a rank that is through would check, for longer than the sum took, on the core
        // that another needs to get to its end.
        board.meet();
        std::size_t wrong = 0;
        for (const core::Range& range : exchange.update_ranges()) {
            wrong += count_wrong(board.world_size(), round, range.offset,
                                 exchange.summed_gradients().subspan(range.offset, range.size));
        }
        board.record(rank, round, arrival, end, wrong);
        board.meet();  // the sum may lie in the block that another rank is about to rewrite
    }
}

}  // namespace dp::experiments::allreduce
