#include "threaded/team_exchange.hpp"

#include <algorithm>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/measure/trace.hpp"

namespace dp::threaded {

using core::Range;

namespace {

/// Floats of a block that `buckets` are the parts of.
std::size_t block_size(const std::vector<Range>& buckets) {
    std::size_t size = 0;
    for (const Range& bucket : buckets) size = std::max(size, bucket.offset + bucket.size);
    return size;
}

}  // namespace

SharedTeam::SharedTeam(std::size_t world_size, std::vector<Range> buckets, double timeout_seconds,
                       core::WaitKind wait, std::uint32_t first_count)
    : world_size_(world_size),
      buckets_(std::move(buckets)),
      timeout_seconds_(timeout_seconds),
      wait_(wait),
      gradients_(world_size),
      ranks_(world_size),
      mailbox_(world_size * core::kMaxGatherBytes),
      reports_(world_size),
      barrier_(world_size),
      sum_(block_size(buckets_)),
      locks_(buckets_.size()) {
    for (RankState& rank : ranks_) {
        rank.handed.publish(first_count);
        rank.done.publish(first_count);
    }
}

TeamExchange::TeamExchange(TeamSetup setup)
    : PiecewiseExchange(setup.rank, setup.team.world_size_, setup.team.buckets_,
                        &setup.team.ranks_[setup.rank].handed,
                        {&setup.team.failed, setup.team.timeout_seconds_,
                         &setup.team.ranks_[setup.rank].waiting, setup.team.wait_}),
      team_(setup.team),
      gradients_(setup.gradients) {
    team_.gradients_[rank()] = gradients_.data();
    for (const Range& bucket : buckets()) {
        chunks_.push_back(core::chunk_of(bucket, world_size(), rank()));
    }
}

bool TeamExchange::all_have_handed(std::size_t bucket) const {
    return std::ranges::all_of(team_.ranks_, [&](const SharedTeam::RankState& rank) {
        return includes(rank.handed.load(), bucket);
    });
}

void TeamExchange::wait_for_all(std::size_t bucket) try {
    for (std::size_t r = 0; r < world_size(); ++r) {
        const double waited = team_.ranks_[r].handed.wait(
            [&](std::uint32_t handed) { return includes(handed, bucket); }, limits());
        count_wait(waited, "hand-over", r, bucket);
    }
} catch (const core::Error&) {  // a deadline
    throw_stalled();
}

void TeamExchange::tell_done() {
    const std::size_t count = buckets_before() + bucket() + 1;
    team_.ranks_[rank()].done.publish(static_cast<std::uint32_t>(count));
}

bool TeamExchange::has_done(std::size_t rank, std::size_t bucket) const {
    return includes(team_.ranks_[rank].done.load(), bucket);
}

void TeamExchange::wait_until_done(std::size_t rank, std::size_t bucket) try {
    const double waited = team_.ranks_[rank].done.wait(
        [&](std::uint32_t done) { return includes(done, bucket); }, limits());
    count_wait(waited, "sum", rank, bucket);
} catch (const core::Error&) {  // a deadline
    throw_stalled();
}

void TeamExchange::barrier() try {
    team_.barrier_.arrive_and_wait(limits());
} catch (const core::Error&) {  // a deadline
    throw_stalled();
}

void TeamExchange::throw_stalled() const {
    std::vector<std::size_t> late;
    for (std::size_t r = 0; r < world_size(); ++r) {
        if (team_.ranks_[r].waiting.load(std::memory_order_relaxed) == 0) late.push_back(r);
    }
    if (late.empty()) throw;  // whoever was late has come just now
    throw core::Error(core::ExitCode::kStalled,
                      "worker {} has stalled: worker {} waited {} s for it: give slow workers "
                      "more time with --timeout",
                      core::join(late), rank(), limits().timeout_seconds);
}

void TeamExchange::publish(std::span<float> /*parameters*/) {
    const core::TraceSpan span(trace(), "barrier", {.kind = core::TraceKind::kBarrier});
    barrier();
}

void TeamExchange::broadcast(std::span<float> values) {
    if (rank() == 0) team_.broadcast_source_ = values.data();
    barrier();
    if (rank() != 0) std::copy_n(team_.broadcast_source_, values.size(), values.begin());
    barrier();  // rank 0 may change its values only once all have copied them
}

void TeamExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, core::kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * world_size());
    std::ranges::copy(
        mine, team_.mailbox_.begin() + static_cast<std::ptrdiff_t>(rank() * core::kMaxGatherBytes));
    barrier();
    for (std::size_t r = 0; r < world_size(); ++r) {
        std::copy_n(team_.mailbox_.data() + r * core::kMaxGatherBytes, mine.size(),
                    all.data() + r * mine.size());
    }
    barrier();  // no slot is written again before all have read it
}

std::vector<std::string> TeamExchange::gather(std::string_view mine) {
    team_.reports_[rank()] = mine;
    barrier();
    std::vector<std::string> all;
    if (rank() == 0) all.assign(team_.reports_.begin(), team_.reports_.end());
    barrier();  // no report may go before rank 0 has copied it
    return all;
}

}  // namespace dp::threaded
