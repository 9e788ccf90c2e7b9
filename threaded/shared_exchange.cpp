#include "threaded/shared_exchange.hpp"

#include <algorithm>
#include <chrono>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::threaded {

using core::Range;

SharedTeam::SharedTeam(std::size_t world_size, std::vector<Range> buckets, double timeout_seconds)
    : world_size_(world_size),
      buckets_(std::move(buckets)),
      timeout_seconds_(timeout_seconds),
      gradients_(world_size),
      ranks_(world_size),
      mailbox_(world_size * core::kMaxGatherBytes),
      barrier_(world_size) {}

SharedExchange::SharedExchange(SharedTeam& team, std::size_t rank, std::span<float> gradients)
    : team_(team),
      rank_(rank),
      gradients_(gradients),
      limits_{&team.failed, team.timeout_seconds_, &team.ranks_[rank].waiting} {
    team_.gradients_[rank_] = gradients_.data();
    for (const Range& bucket : team_.buckets_) {
        chunks_.push_back(core::chunk_of(bucket, team_.world_size_, rank_));
    }
}

void SharedExchange::hand_over(std::size_t count) {
    if (count == handed_) return;
    DP_CHECK(count, >, handed_);
    const core::TraceSpan span(
        trace(), "hand over",
        {.kind = core::TraceKind::kHandOver, .bucket = handed_, .count = count - handed_});
    handed_ = count;
    team_.ranks_[rank_].handed.publish(before_ + static_cast<std::uint32_t>(count));
}

/// Counters wrap at 2^32 and are never further apart than half of that.
bool SharedExchange::has_handed(std::uint32_t handed, std::size_t bucket) const {
    return static_cast<std::int32_t>(handed - before_ - static_cast<std::uint32_t>(bucket)) > 0;
}

bool SharedExchange::all_have_handed(std::size_t bucket) const {
    return std::ranges::all_of(team_.ranks_, [&](const SharedTeam::RankState& rank) {
        return has_handed(rank.handed.load(), bucket);
    });
}

void SharedExchange::sum_next() {
    const Range chunk = chunks_[summed_];
    const std::size_t bytes = (team_.world_size_ - 1) * chunk.size * sizeof(float);
    const core::TraceSpan span(trace(), "sum",
                               {.kind = core::TraceKind::kSum, .bucket = summed_, .bytes = bytes});
    core::sum_chunk(team_.gradients_, rank_, chunk, gradients_.data());
    stats_.sent_bytes += bytes;
    ++summed_;
}

void SharedExchange::progress() {
    if (summed_ == handed_ || !all_have_handed(summed_)) return;
    const auto start = std::chrono::steady_clock::now();
    do {
        sum_next();
    } while (summed_ < handed_ && all_have_handed(summed_));
    stats_.hidden_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void SharedExchange::finish() {
    DP_CHECK(handed_, ==, chunks_.size());
    while (summed_ < chunks_.size()) {
        for (std::size_t rank = 0; rank < team_.world_size_; ++rank) {
            const double waited = wait_for(rank, summed_);
            stats_.wait_seconds += waited;
            core::record_wait(trace(), waited, "hand-over", rank, summed_);
        }
        sum_next();
    }
    before_ += static_cast<std::uint32_t>(chunks_.size());
    handed_ = summed_ = 0;
    ++stats_.calls;
}

double SharedExchange::wait_for(std::size_t rank, std::size_t bucket) try {
    return team_.ranks_[rank].handed.wait(
        [&](std::uint32_t handed) { return has_handed(handed, bucket); }, limits_);
} catch (const core::Error&) {  // a deadline
    throw_stalled();
}

void SharedExchange::barrier() try {
    team_.barrier_.arrive_and_wait(limits_);
} catch (const core::Error&) {  // a deadline
    throw_stalled();
}

void SharedExchange::throw_stalled() const {
    std::string late;
    for (std::size_t rank = 0; rank < team_.world_size_; ++rank) {
        if (team_.ranks_[rank].waiting.load(std::memory_order_relaxed) != 0) continue;
        late += fmt::format("{}{}", late.empty() ? "" : ", ", rank);
    }
    if (late.empty()) throw;  // whoever was late has come just now
    throw core::Error(core::ExitCode::kStalled,
                      "worker {} has stalled: worker {} waited {} s for it: give slow workers "
                      "more time with --timeout",
                      late, rank_, limits_.timeout_seconds);
}

void SharedExchange::publish() {
    const core::TraceSpan span(trace(), "barrier", {.kind = core::TraceKind::kBarrier});
    barrier();
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
