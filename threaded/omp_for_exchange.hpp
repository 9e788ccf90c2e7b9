// All-reduce in shared memory with OpenMP's worksharing loop: `in-place` as a course on OpenMP
// writes it. The loop runs over the chunks of a bucket, one for each rank, and libgomp hands them
// out and keeps the ranks together.
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   sum       chunk r of gradients[r], a bucket   chunk r of every gradients[k]   `omp for`'s
//   barrier update    chunk r of parameters and state     chunk r of gradients[r]         barrier
//
// Cost for N ranks and S bytes of gradients: each rank reads S bytes and writes S/N, as in place; N
// counters are read once a step, and there are 1 of libgomp's barriers per bucket and 1 of ours.
// What it takes longer than `in-place`, which has no barrier after a sum, is what libgomp's costs.
//
// Hazards: the loop is orphaned: it binds to the parallel region that the ranks are threads of, and
// all of them must come to it, in the same order. libgomp's barrier has no deadline and cannot be
// left. So nobody goes there before every rank has handed over the last bucket that is to be
// summed, which a rank does behind its backward; from there it comes to the loop without fail. A
// rank that fails or stands still before that is waited for by our counters, which end.
//
// What it cannot do is advance during backward, where ranks are at different layers.
//
// Source: OpenMP API 5.2, worksharing-loop construct and implicit barrier regions; Chapman, Jost
// and van der Pas, "Using OpenMP", 2008, chapter 4.
#pragma once

#include "threaded/team_exchange.hpp"

namespace dp::threaded {

class OmpForExchange final : public TeamExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "omp-for",
        .former_name = "",
        .description = "in-place by OpenMP's own loop and barrier",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kRing,
        .overlaps = false,
        .meets_at_publish = true,
        .sent_per_byte = [](double ranks) { return (ranks - 1.0) / ranks; },
    };

    explicit OmpForExchange(TeamSetup setup) : TeamExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }
    std::span<const float> summed_gradients() const override { return gradients(); }

private:
    bool advance() override { return false; }
    void await(std::size_t count) override;
    void sum(core::Range range);
};

}  // namespace dp::threaded
