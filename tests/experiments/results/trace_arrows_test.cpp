// Who waited for whom: the arrows of a trace.
#include "experiments/results/trace_arrows.hpp"

#include <map>

#include "tests/support/catch.hpp"
#include "tests/support/trace_events.hpp"

using namespace dp;
using core::TraceEvent;
using core::TraceKind;
using experiments::TraceArrow;
using tests::hand_over;
using tests::rank_with;
using tests::sum;

namespace {

TraceEvent transfer(std::size_t ring_step, std::size_t peer, std::int64_t begin_ns) {
    return {.kind = TraceKind::kTransfer,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 10,
            .told_ns = begin_ns + 3,
            .bucket = 0,
            .peer = peer,
            .ring_step = ring_step,
            .group = 0};
}

void check_arrow(const TraceArrow& arrow, std::size_t from, std::int64_t from_ns, std::size_t to,
                 std::int64_t to_ns) {
    CHECK(arrow.from == from);
    CHECK(arrow.from_ns == from_ns);
    CHECK(arrow.to == to);
    CHECK(arrow.to_ns == to_ns);
}

}  // namespace

TEST_CASE("a sum's arrow comes from the hand-over that was last, and none from its own rank") {
    const std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 10), sum(0, 40)}),
        rank_with({hand_over(0, 2, 30), sum(0, 35), sum(1, 70)}),
        rank_with({hand_over(0, 1, 20), sum(0, 45)})};
    const auto arrows = experiments::find_arrows(ranks);
    REQUIRE(arrows.size() == 2);  // of bucket 1 two hand-overs are missing
    check_arrow(arrows[0], 1, 30, 0, 40);
    check_arrow(arrows[1], 1, 30, 2, 45);
}

TEST_CASE("a ring's arrows come from the left neighbour's step before, the first's hand-over") {
    const std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 1), transfer(0, 1, 20), transfer(1, 1, 40), transfer(1, 1, 60)}),
        rank_with({hand_over(0, 1, 5), transfer(0, 0, 10), transfer(1, 0, 50)})};
    const auto arrows = experiments::find_arrows(ranks);
    REQUIRE(arrows.size() == 4);  // none for the second part of a transfer
    check_arrow(arrows[0], 1, 5, 0, 20);
    check_arrow(arrows[1], 1, 13, 0, 40);
    check_arrow(arrows[2], 0, 1, 1, 10);
    check_arrow(arrows[3], 0, 23, 1, 50);
}

TEST_CASE("a barrier's last arrival is told where all have recorded theirs") {
    const auto barrier = [](std::size_t step, std::int64_t begin_ns) {
        return TraceEvent{.kind = TraceKind::kBarrier,
                          .step = step,
                          .begin_ns = begin_ns,
                          .end_ns = begin_ns + 1};
    };
    const std::vector<core::WorkerTrace> ranks{rank_with({barrier(1, 10), barrier(2, 30)}),
                                               rank_with({barrier(1, 12)})};
    CHECK(experiments::find_last_arrivals(ranks) == std::map<std::size_t, std::size_t>{{1, 1}});
}
