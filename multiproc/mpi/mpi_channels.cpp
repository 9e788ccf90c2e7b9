#include "multiproc/mpi/mpi_channels.hpp"

#include <algorithm>

#include "core/base/check.hpp"
#include "multiproc/mpi/mpi_call.hpp"

namespace dp::multiproc {
namespace {

// As between processes; see ChannelShape.
constexpr std::size_t kSegmentBytes = std::size_t{256} * 1024;
constexpr std::size_t kSlots = 8;

bool sends_to(core::Receivers receivers, std::size_t from, std::size_t to, std::size_t world) {
    return std::ranges::binary_search(core::all_receivers(receivers, from, world), to);
}

}  // namespace

MpiRing::MpiRing(std::size_t slots, std::size_t slot_bytes)
    : memory_(slots * slot_bytes), slot_bytes_(slot_bytes), requests_(slots, MPI_REQUEST_NULL) {}

MpiRing::~MpiRing() {
    for (MPI_Request& request : requests_) {
        if (request == MPI_REQUEST_NULL) continue;
        MPI_Cancel(&request);
        MPI_Request_free(&request);
    }
}

bool MpiRing::completed() {
    if (request() == MPI_REQUEST_NULL) return true;
    int done = 0;
    check_mpi(MPI_Test(&request(), &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
}

MpiChannel::MpiChannel(MPI_Comm world, RollCall& roll_call, std::size_t peer, int tag, bool sends,
                       bool receives)
    : world_(world), roll_call_(roll_call), peer_(peer), tag_(tag) {
    if (sends) out_ = std::make_unique<MpiRing>(kSlots, kSegmentBytes);
    if (!receives) return;
    in_ = std::make_unique<MpiRing>(kSlots, kSegmentBytes);
    const auto turn = roll_call_.lock();
    for (std::size_t i = 0; i < kSlots; ++i) {
        post_receive();
        in_->go_on();
    }
}

MpiChannel::~MpiChannel() {
    const auto turn = roll_call_.lock();
    out_.reset();
    in_.reset();
}

bool MpiChannel::has_room() {
    const auto turn = roll_call_.lock();
    return out_->completed();
}

bool MpiChannel::has_segment() {
    const auto turn = roll_call_.lock();
    return in_->completed();
}

void MpiChannel::post_receive() {
    check_mpi(MPI_Irecv(in_->slot().data(), static_cast<int>(kSegmentBytes), MPI_BYTE,
                        static_cast<int>(peer_), tag_, world_, &in_->request()),
              "MPI_Irecv");
}

double MpiChannel::wait_for_room(const core::WaitLimits& limits) {
    return roll_call_.wait([this] { return has_room(); }, limits, peer_);
}

void MpiChannel::push(std::size_t bytes) {
    const auto turn = roll_call_.lock();
    check_mpi(MPI_Isend(out_->slot().data(), static_cast<int>(bytes), MPI_BYTE,
                        static_cast<int>(peer_), tag_, world_, &out_->request()),
              "MPI_Isend");
    out_->go_on();
}

double MpiChannel::wait_for_segment(const core::WaitLimits& limits) {
    return roll_call_.wait([this] { return has_segment(); }, limits, peer_);
}

void MpiChannel::pop() {
    const auto turn = roll_call_.lock();
    post_receive();
    in_->go_on();
}

double MpiChannel::flush(const core::WaitLimits& limits) {
    if (!out_) return 0.0;
    const auto all_sent = [this] {
        const auto turn = roll_call_.lock();
        std::vector<MPI_Request>& requests = out_->requests();
        int all = 0;
        check_mpi(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &all,
                              MPI_STATUSES_IGNORE),
                  "MPI_Testall");
        return all != 0;
    };
    return roll_call_.wait(all_sent, limits, peer_);
}

MpiChannels::MpiChannels(MPI_Comm world, RollCall& roll_call, core::Receivers receivers,
                         std::size_t place)
    : roll_call_(roll_call) {
    const int tag = kSegmentTag + static_cast<int>(place);
    for (std::size_t peer = 0; peer < world_size(); ++peer) {
        const bool sends = sends_to(receivers, rank(), peer, world_size());
        const bool receives = sends_to(receivers, peer, rank(), world_size());
        with_.push_back(sends || receives ? std::make_unique<MpiChannel>(world, roll_call, peer,
                                                                         tag, sends, receives)
                                          : nullptr);
    }
}

std::size_t MpiChannels::segment_bytes() const { return kSegmentBytes; }
std::size_t MpiChannels::depth() const { return kSlots; }

core::Channel& MpiChannels::with(std::size_t peer) {
    DP_CHECK(with_.at(peer) != nullptr, ==, true);
    return *with_[peer];
}

double MpiChannels::flush(const core::WaitLimits& limits) {
    double seconds = 0.0;
    for (const auto& channel : with_) {
        if (channel) seconds += channel->flush(limits);
    }
    return seconds;
}

}  // namespace dp::multiproc
