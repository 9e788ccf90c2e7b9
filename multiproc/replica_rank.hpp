// What the ranks of every message-passing model do alike, however they are started: train a replica
// of their own, and say where they are.
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/range.hpp"
#include "core/exchange/channel_exchange.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

/// Notes where its rank is, for the supervisor.
class PositionListener final : public core::ListenerInFront {
public:
    PositionListener(core::RunListener& next, RankPosition& position)
        : ListenerInFront(next), position_(position) {}

    void on_phase(const core::WorkerPosition& position) override {
        position_.store(position);
        ListenerInFront::on_phase(position);
    }

private:
    RankPosition& position_;
};

/// Makes the rank's exchange of `size` gradients in `buckets`, which the caller keeps.
using MakeExchange =
    std::function<core::ChannelExchange&(std::vector<core::Range> buckets, std::size_t size)>;

/// One rank's whole life: its own layout, parameters, optimizer state, gradients and statistics.
/// Notes in `position` where it is. Returns what core::run_worker does.
core::RunResult train_replica(const core::Job& job, std::size_t rank, RankPosition& position,
                              const MakeExchange& make);

/// Of ranks that have waited too long, the least is the one that the others wait for, directly or
/// through a neighbour: it does not wait itself, or is furthest behind. Of two that are in the same
/// place it is not `reports`, the one that tells.
using Standing =
    std::tuple<std::uint32_t, std::uint32_t, std::size_t, std::size_t, core::Phase, bool>;
Standing standing_of(const RankPosition& position, bool reports);

/// "in phase backward of epoch 1, step 7".
std::string describe(const RankPosition& position);

}  // namespace dp::multiproc
