// The module: MpiWorld over the MPI library that it was built with, with the calls of MPI 3.1.
#include <mpi.h>

#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "multiproc/mpi/module_version.hpp"
#include "multiproc/mpi/mpi_call.hpp"
#include "multiproc/mpi/mpi_channels.hpp"
#include "multiproc/mpi/mpi_world.hpp"
#include "multiproc/mpi/read_clocks.hpp"
#include "multiproc/mpi/roll_call.hpp"

namespace dp::multiproc {
namespace {

/// A communicator of our own, on which failures are returned to the caller.
MPI_Comm make_world() {
    int started = 0;
    MPI_Initialized(&started);
    DP_CHECK(started, ==, 0);
    int provided = 0;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided),
              "MPI_Init_thread");
    if (provided < MPI_THREAD_SERIALIZED) {
        throw core::Error(
            core::ExitCode::kResources,
            "this MPI library gives thread level {}, and MPI_THREAD_SERIALIZED ({}) is "
            "needed: use one that was built with threads",
            provided, static_cast<int>(MPI_THREAD_SERIALIZED));
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm world = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
    return world;
}

class World final : public MpiWorld {
public:
    std::size_t rank() const override { return roll_call_->rank(); }
    std::size_t world_size() const override { return roll_call_->world_size(); }

    void set_name(RankName name) override { roll_call_->set_name(std::move(name)); }

    std::unique_ptr<core::Channels> make_channels(core::Receivers receivers,
                                                  std::size_t place) override {
        return std::make_unique<MpiChannels>(world_, *roll_call_, receivers, place);
    }

    void begin_sum(std::span<float> values) override {
        const auto turn = roll_call_->lock();
        if (ended_ == sums_.size()) {  // a step's sums are over: their room serves the next
            sums_.clear();
            before_ += ended_;
            ended_ = 0;
        }
        check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()),
                                 MPI_FLOAT, MPI_SUM, world_, &sums_.emplace_back()),
                  "MPI_Iallreduce");
    }
    std::size_t ended_sums() override {
        const auto turn = roll_call_->lock();
        while (ended_ < sums_.size()) {
            int ended = 0;
            check_mpi(MPI_Test(&sums_[ended_], &ended, MPI_STATUS_IGNORE), "MPI_Test");
            if (ended == 0) break;
            ++ended_;
        }
        return before_ + ended_;
    }
    double wait_for_sums(std::size_t count, const core::WaitLimits& limits) override {
        return roll_call_->wait([&] { return ended_sums() >= count; }, limits, std::nullopt);
    }

    std::vector<ClockReading> read_clocks(const core::WaitLimits& limits) override {
        return multiproc::read_clocks(world_, *roll_call_, limits);
    }

    void barrier() override { check_mpi(MPI_Barrier(world_), "MPI_Barrier"); }
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
        const int bytes = static_cast<int>(mine.size());
        check_mpi(MPI_Allgather(mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, world_),
                  "MPI_Allgather");
    }
    void close() override {
        roll_call_.reset();
        check_mpi(MPI_Comm_free(&world_), "MPI_Comm_free");
        check_mpi(MPI_Finalize(), "MPI_Finalize");
    }

private:
    MPI_Comm world_ = make_world();
    std::unique_ptr<RollCall> roll_call_ = std::make_unique<RollCall>(world_);
    std::vector<MPI_Request> sums_;  // begun, of this step
    std::size_t ended_ = 0;          // of those
    std::size_t before_ = 0;         // ended before them
};

}  // namespace
}  // namespace dp::multiproc

extern "C" __attribute__((visibility("default"))) dp::multiproc::MpiWorld* dp_open_mpi_world(
    const char* version) {
    if (std::string_view(version) != dp::multiproc::kMpiModuleVersion) return nullptr;
    return new dp::multiproc::World;
}
