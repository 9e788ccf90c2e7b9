#include "experiments/results/trace_arrows.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace dp::experiments {
namespace {

using core::TraceEvent;
using core::TraceKind;

/// Of a transfer: step, bucket, group, ring step.
using TransferKey = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;
/// Of a hand-over: step, bucket.
using BucketKey = std::tuple<std::size_t, std::size_t>;

/// Where one rank's events lie that others refer to; the first of each, where waiting has cut one.
struct RankIndex {
    std::map<TransferKey, const TraceEvent*> transfers;
    std::map<BucketKey, const TraceEvent*> hand_overs;
    std::set<BucketKey> moved;  // with any transfer
};

TransferKey key_of(const TraceEvent& transfer) {
    return {transfer.step, transfer.bucket, transfer.group, transfer.ring_step};
}

RankIndex index_of(const core::WorkerTrace& rank) {
    RankIndex index;
    for (const TraceEvent& event : rank.events) {
        if (event.kind == TraceKind::kTransfer) {
            index.transfers.try_emplace(key_of(event), &event);
            index.moved.insert({event.step, event.bucket});
        }
        if (event.kind != TraceKind::kHandOver) continue;
        for (std::size_t i = 0; i < event.count; ++i) {
            index.hand_overs.try_emplace({event.step, event.bucket + i}, &event);
        }
    }
    return index;
}

const TraceEvent* find(const auto& map, const auto& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
}

class Finder {
public:
    explicit Finder(std::span<const core::WorkerTrace> ranks) {
        for (const core::WorkerTrace& rank : ranks) ranks_.push_back(index_of(rank));
    }

    void add_transfer(std::size_t rank, const TraceEvent& event) {
        if (event.peer >= ranks_.size()) return;  // it uses nothing of another
        if (find(ranks_[rank].transfers, key_of(event)) != &event) return;
        const RankIndex& left = ranks_[event.peer];
        const BucketKey bucket{event.step, event.bucket};
        // The first step uses what was handed over, and so does every level of a tree of a rank
        // that adds nothing itself.
        if (event.ring_step == 0 || !left.moved.contains(bucket)) {
            const TraceEvent* cause = find(left.hand_overs, bucket);
            if (cause != nullptr) add(event.peer, cause->begin_ns, rank, event, "hand-over");
            return;
        }
        const TransferKey before{event.step, event.bucket, event.group, event.ring_step - 1};
        const TraceEvent* cause = find(left.transfers, before);
        if (cause != nullptr) add(event.peer, cause->told_ns, rank, event, "chunk");
    }

    void add_sum(std::size_t rank, const TraceEvent& event) {
        std::size_t last = 0;
        const TraceEvent* cause = nullptr;
        for (std::size_t r = 0; r < ranks_.size(); ++r) {
            const TraceEvent* own = find(ranks_[r].hand_overs, BucketKey{event.step, event.bucket});
            if (own == nullptr) return;  // it might be the last
            if (cause != nullptr && own->begin_ns <= cause->begin_ns) continue;
            cause = own;
            last = r;
        }
        if (cause != nullptr && last != rank) add(last, cause->begin_ns, rank, event, "hand-over");
    }

    std::vector<TraceArrow> take() { return std::move(arrows_); }

private:
    void add(std::size_t from, std::int64_t from_ns, std::size_t to, const TraceEvent& event,
             std::string_view name) {
        arrows_.push_back({from, from_ns, to, event.begin_ns, name, event.step, event.bucket});
    }

    std::vector<RankIndex> ranks_;
    std::vector<TraceArrow> arrows_;
};

}  // namespace

std::vector<TraceArrow> find_arrows(std::span<const core::WorkerTrace> ranks) {
    Finder finder(ranks);
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        for (const TraceEvent& event : ranks[rank].events) {
            if (event.kind == TraceKind::kTransfer) finder.add_transfer(rank, event);
            if (event.kind == TraceKind::kSum) finder.add_sum(rank, event);
        }
    }
    return finder.take();
}

std::map<std::size_t, std::size_t> find_last_arrivals(std::span<const core::WorkerTrace> ranks) {
    using Arrival = std::pair<std::int64_t, std::size_t>;  // when, who
    std::map<std::size_t, std::vector<Arrival>> arrivals;  // by step
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        for (const TraceEvent& event : ranks[rank].events) {
            if (event.kind != TraceKind::kBarrier) continue;
            arrivals[event.step].emplace_back(event.begin_ns, rank);
        }
    }
    std::map<std::size_t, std::size_t> last;
    for (const auto& [step, all] : arrivals) {
        if (all.size() == ranks.size()) last[step] = std::ranges::max(all).second;
    }
    return last;
}

}  // namespace dp::experiments
