// A rank's channels over MPI: towards each peer a ring of slots that are being sent, and from it a
// ring of slots that receives are posted for. Part of the module.
//
//   slot of     filled by            free again when
//   out ring    slot(), push()       its MPI_Isend has completed
//   in ring     its MPI_Irecv        pop(), which posts the next MPI_Irecv into it
//
// Messages of one sender are received in the order in which they were sent, each into the receive
// that was posted first. Receives for a whole ring are posted at the start, so that as many
// segments arrive without the receiver's asking.
#pragma once

#include <mpi.h>

#include <memory>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/exchange/channel.hpp"
#include "multiproc/mpi/roll_call.hpp"

namespace dp::multiproc {

/// Slots of one direction with the request of each.
class MpiRing {
public:
    MpiRing(std::size_t slots, std::size_t slot_bytes);
    ~MpiRing();
    MpiRing(MpiRing&& other) noexcept = default;
    MpiRing(const MpiRing&) = delete;
    MpiRing& operator=(const MpiRing&) = delete;
    MpiRing& operator=(MpiRing&&) = delete;

    /// The slot in turn.
    [[nodiscard]] std::span<std::byte> slot() const {
        return {memory_.data() + next_ * slot_bytes_, slot_bytes_};
    }
    [[nodiscard]] MPI_Request& request() { return requests_[next_]; }
    [[nodiscard]] std::vector<MPI_Request>& requests() { return requests_; }
    /// Whether the last operation on the slot in turn has completed; moves all others on.
    [[nodiscard]] bool completed();
    void go_on() { next_ = (next_ + 1) % requests_.size(); }

private:
    core::MemoryBlock memory_;
    std::size_t slot_bytes_;
    std::vector<MPI_Request> requests_;  // null: completed
    std::size_t next_ = 0;
};

class MpiChannel final : public core::Channel {
public:
    /// `sends` and `receives` say which directions there are. `roll_call` outlives it.
    MpiChannel(MPI_Comm world, RollCall& roll_call, std::size_t peer, int tag, bool sends,
               bool receives);
    ~MpiChannel() override;
    MpiChannel(const MpiChannel&) = delete;
    MpiChannel& operator=(const MpiChannel&) = delete;

    bool has_room() override;
    double wait_for_room(const core::WaitLimits& limits) override;
    std::span<std::byte> slot() override { return out_->slot(); }
    void push(std::size_t bytes) override;

    bool has_segment() override;
    double wait_for_segment(const core::WaitLimits& limits) override;
    std::span<const std::byte> segment() override { return in_->slot(); }
    void pop() override;

    /// As Channels::flush, of this one.
    double flush(const core::WaitLimits& limits);

private:
    void post_receive();

    MPI_Comm world_;
    RollCall& roll_call_;
    const std::size_t peer_;
    const int tag_;
    std::unique_ptr<MpiRing> out_;  // null where this rank only receives
    std::unique_ptr<MpiRing> in_;   // null where it only sends
};

class MpiChannels final : public core::Channels {
public:
    /// Channels to the right neighbour, from the left one, and as `receivers` (may be null) says,
    /// between the threads of `place`.
    MpiChannels(MPI_Comm world, RollCall& roll_call, core::Receivers receivers, std::size_t place);

    std::size_t rank() const override { return roll_call_.rank(); }
    std::size_t world_size() const override { return roll_call_.world_size(); }
    std::size_t segment_bytes() const override;
    std::size_t depth() const override;
    core::Channel& with(std::size_t peer) override;
    double flush(const core::WaitLimits& limits) override;

private:
    RollCall& roll_call_;
    std::vector<std::unique_ptr<MpiChannel>> with_;  // by peer; null: none
};

}  // namespace dp::multiproc
