// What reductions have in common whose ranks talk through channels: gradients that belong to the
// rank, and the collectives that pass small things along the ring of ranks, which every world has
// whatever else its reduction needs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/exchange/buckets.hpp"
#include "core/exchange/channel.hpp"
#include "core/exchange/piecewise_exchange.hpp"

namespace dp::core {

/// What every reduction over channels is made from.
struct ChannelSetup {
    std::unique_ptr<Channels> channels;
    std::vector<Range> buckets;
    std::size_t size = 0;  // floats of one rank's gradients
    WaitLimits limits;
    UpdateKind update = UpdateKind::kReplicated;  // kSharded where the traits can be sharded
    /// Where others can read this rank's gradients, and the counter that tells them how many
    /// buckets are handed over. Without them the gradients are private.
    std::span<float> shared_gradients = {};
    SharedCounter* handed = nullptr;
};

class ChannelExchange : public PiecewiseExchange {
public:
    const ExchangeTraits& traits() const final { return traits_; }
    std::span<const Range> update_ranges() const final { return update_ranges_; }
    std::span<const float> summed_gradients() const final { return gradients_; }
    /// Where a replica is updated by its own rank there is nothing to publish.
    void publish(std::span<float> /*parameters*/) override {}
    /// Passes the values along the ring, P-1 hops.
    void broadcast(std::span<float> values) final;
    /// Passes every rank's bytes once around, P-1 steps.
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) final;
    /// Passes every report along the ring to its end, rank 0: P-1 hops of the first.
    std::vector<std::string> gather(std::string_view mine) final;

    /// Where backward writes this rank's gradients.
    [[nodiscard]] std::span<float> gradients() const { return gradients_; }

protected:
    /// `traits` are the row's. Writes zeros to the whole block of gradients, so that its pages are
    /// this rank's.
    ChannelExchange(ChannelSetup setup, const ExchangeTraits& traits);

    /// One rank alone has nothing to do, and advance() does nothing.
    bool complete(std::size_t count) const override {
        return world_size() == 1 || bucket() >= count;
    }

    [[nodiscard]] bool sharded() const { return traits_.update == UpdateKind::kSharded; }
    [[nodiscard]] std::size_t left() const { return rank_at(1); }
    [[nodiscard]] std::size_t right() const { return rank_at(world_size() - 1); }
    [[nodiscard]] Channels& channels() const { return *channels_; }
    [[nodiscard]] std::size_t segment_floats() const {
        return channels_->segment_bytes() / sizeof(float);
    }
    /// Segments that `floats` are cut into.
    [[nodiscard]] std::size_t segments_of(std::size_t floats) const {
        return (floats + segment_floats() - 1) / segment_floats();
    }
    void flush() { channels_->flush(limits()); }
    /// Segment `index` of `range`; empty behind its end.
    [[nodiscard]] Range segment_of(Range range, std::size_t index) const;
    /// Before the first step: instead of the whole block.
    void set_update_ranges(std::vector<Range> ranges) { update_ranges_ = std::move(ranges); }

private:
    void settle() final { count_wait(channels_->flush(limits())); }
    void send(Channel& to, std::span<const std::byte> bytes);
    void receive(Channel& from, std::span<std::byte> bytes);
    void send_report(Channel& to, std::string_view report);
    std::string receive_report(Channel& from);

    const std::unique_ptr<Channels> channels_;
    ExchangeTraits traits_;
    FloatBlock own_;
    const std::span<float> gradients_;
    std::vector<Range> update_ranges_;
};

}  // namespace dp::core
