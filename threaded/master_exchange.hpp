// A master between threads: rank 0 gathers and sums all gradients, updates all parameters and hands
// them out, while the others wait. It is what PyTorch's nn.DataParallel does with one process and
// several devices, and what a first program with threads does.
//
//   phase     rank 0 writes             rank 0 reads       the others            ended by
//   backward  gradients[0]              shared parameters  write gradients[r]    handed[r]
//   sum       gradients[0], a bucket    every gradients[k] wait                  done[0]
//   update    parameters and state      gradients[0]       wait                  barrier
//
// done[0] counts the buckets that rank 0 has summed. To hand out costs nothing here: all ranks read
// the one parameter block, and the barrier publishes it. nn.DataParallel copies it to every device.
//
// Cost for N ranks and S bytes of gradients: rank 0 reads N S bytes, writes S and updates all of S,
// and nobody helps; N - 1 counters are read per bucket, and 1 barrier. In place each rank does an
// N-th of all of it. Rank 0 can sum a bucket during its own backward once all have handed it over.
//
// Hazard: rank 0 reads the others' blocks until it has summed them, and writes parameters until it
// has updated them: the barrier of publish() comes before anyone begins another step. The others
// update nothing, so that none of them can notice that training diverges; rank 0 sees all.
//
// The order of additions is the ring's, chunk by chunk, so that the bits are those of `in-place`.
//
// Source: PyTorch's documentation of torch.nn.DataParallel; Li et al., "PyTorch Distributed:
// Experiences on Accelerating Data Parallel Training", VLDB 2020, section 2.
#pragma once

#include <vector>

#include "threaded/team_exchange.hpp"

namespace dp::threaded {

class MasterExchange final : public TeamExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "master",
        .former_name = "",
        .description = "rank 0 sums all gradients and updates the parameters for all",
        .update = core::UpdateKind::kCentral,
        .order = core::SumOrder::kRing,
        .meets_at_publish = true,
        .sent_per_byte = [](double ranks) { return ranks - 1.0; },
    };

    explicit MasterExchange(TeamSetup setup);

    const core::ExchangeTraits& traits() const override { return kTraits; }
    std::span<const core::Range> update_ranges() const override { return updated_; }
    std::span<const float> summed_gradients() const override {
        return {blocks()[0], gradients().size()};
    }

private:
    bool advance() override;
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override { return has_done(0, count - 1); }

    std::vector<core::Range> updated_;
};

}  // namespace dp::threaded
