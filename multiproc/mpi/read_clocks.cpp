#include "multiproc/mpi/read_clocks.hpp"

#include <chrono>
#include <cstdint>

#include "multiproc/mpi/mpi_call.hpp"

namespace dp::multiproc {
namespace {

// The shortest of so many round trips met nothing on its way; on a network they take some ten
// milliseconds for each rank.
constexpr int kRounds = 100;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

class ClockReader {
public:
    ClockReader(MPI_Comm world, RollCall& roll_call, const core::WaitLimits& limits)
        : world_(world), roll_call_(roll_call), limits_(limits) {}

    /// On rank 0: the best reading of `rank`'s clock.
    ClockReading ask(int rank) {
        ClockReading best;
        for (int round = 0; round < kRounds; ++round) {
            const std::int64_t sent = now_ns();
            send(sent, rank);
            const std::int64_t own = receive(rank);
            const ClockReading reading = reading_of(sent, own, now_ns());
            if (round == 0 || reading.error_ns < best.error_ns) best = reading;
        }
        return best;
    }

    /// On the others: answers rank 0.
    void answer() {
        for (int round = 0; round < kRounds; ++round) {
            receive(0);
            send(now_ns(), 0);
        }
    }

private:
    void send(std::int64_t time, int rank) {
        MPI_Request request = MPI_REQUEST_NULL;
        {
            const auto turn = roll_call_.lock();
            check_mpi(MPI_Isend(&time, 1, MPI_INT64_T, rank, kClockTag, world_, &request),
                      "MPI_Isend");
        }
        wait(request, rank);
    }

    std::int64_t receive(int rank) {
        std::int64_t time = 0;
        MPI_Request request = MPI_REQUEST_NULL;
        {
            const auto turn = roll_call_.lock();
            check_mpi(MPI_Irecv(&time, 1, MPI_INT64_T, rank, kClockTag, world_, &request),
                      "MPI_Irecv");
        }
        wait(request, rank);
        return time;
    }

    void wait(MPI_Request& request, int rank) {
        const auto done = [&] {
            const auto turn = roll_call_.lock();
            int flag = 0;
            check_mpi(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "MPI_Test");
            return flag != 0;
        };
        roll_call_.wait(done, limits_, static_cast<std::size_t>(rank));
    }

    MPI_Comm world_;
    RollCall& roll_call_;
    const core::WaitLimits& limits_;
};

}  // namespace

std::vector<ClockReading> read_clocks(MPI_Comm world, RollCall& roll_call,
                                      const core::WaitLimits& limits) {
    ClockReader reader(world, roll_call, limits);
    if (roll_call.rank() != 0) {
        reader.answer();
        return {};
    }
    std::vector<ClockReading> readings(1);
    for (std::size_t rank = 1; rank < roll_call.world_size(); ++rank) {
        readings.push_back(reader.ask(static_cast<int>(rank)));
    }
    return readings;
}

}  // namespace dp::multiproc
