#include "threaded/shared_exchange.hpp"

#include <algorithm>

#include "core/base/check.hpp"
#include "core/train/sum_chunk.hpp"

namespace dp::threaded {

using core::Range;

SharedTeam::SharedTeam(std::size_t world_size, std::vector<Range> buckets, double timeout_seconds)
    : world_size_(world_size),
      buckets_(std::move(buckets)),
      limits_{&failed, timeout_seconds},
      gradients_(world_size),
      mailbox_(world_size * core::kMaxGatherBytes),
      barrier_(world_size) {}

SharedExchange::SharedExchange(SharedTeam& team, std::size_t rank, std::span<float> gradients)
    : team_(team), rank_(rank), gradients_(gradients) {
    team_.gradients_[rank_] = gradients_.data();
    for (const Range& bucket : team_.buckets_) {
        chunks_.push_back(core::chunk_of(bucket, team_.world_size_, rank_));
    }
}

void SharedExchange::reduce() {
    ++stats_.calls;
    stats_.wait_seconds += barrier();
    for (const Range& chunk : chunks_) {
        core::sum_chunk(team_.gradients_, rank_, chunk, gradients_.data());
        stats_.sent_bytes += (team_.world_size_ - 1) * chunk.size * sizeof(float);
    }
}

void SharedExchange::broadcast(std::span<float> values) {
    if (rank_ == 0) team_.broadcast_source_ = values.data();
    barrier();
    if (rank_ != 0) std::copy_n(team_.broadcast_source_, values.size(), values.begin());
    barrier();  // rank 0 may change its values only once all have copied them
}

void SharedExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, core::kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * team_.world_size_);
    std::ranges::copy(
        mine, team_.mailbox_.begin() + static_cast<std::ptrdiff_t>(rank_ * core::kMaxGatherBytes));
    barrier();
    for (std::size_t r = 0; r < team_.world_size_; ++r) {
        std::copy_n(team_.mailbox_.data() + r * core::kMaxGatherBytes, mine.size(),
                    all.data() + r * mine.size());
    }
    barrier();  // no slot is written again before all have read it
}

}  // namespace dp::threaded
