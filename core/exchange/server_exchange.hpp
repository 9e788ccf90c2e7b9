// A parameter server: rank 0 holds the parameters that count and the optimizer's state. Workers
// push their gradients to it and pull parameters from it. Rank 0 is a worker too.
//
//   phase     rank 0                                  every other rank
//   exchange  waits until all have sent a segment,    sends its gradients, segment by segment
//             and sums them with its own
//   update    the whole block                         nothing
//   publish   sends the parameters to each in turn    receives them
//
// Rank 0 takes bucket after bucket, of a bucket chunk after chunk as chunk_of cuts it, and of a
// chunk segment after segment; the workers send in that order. It adds straight from the channels,
// in the order that gradient_exchange.hpp states for chunk c: SumOrder::kRing.
//
// What may be overwritten when: the sum replaces rank 0's own gradients, a worker's stay as they
// were. A worker's parameters are written by publish() alone.
//
// Why no wait is for ever: gradients only flow to rank 0 and parameters only from it. Rank 0 waits
// for a worker's gradients, which that worker sends whatever the others do; a worker waits for
// rank 0 to take them, and then for parameters, which rank 0 sends once it has taken all.
//
// Cost for N ranks and S bytes: rank 0 receives (N-1) S bytes and sends as many, all others send S
// and receive S. So rank 0 is the bottleneck: its time grows with N, where that of a ring does not.
// What it saves: one update and one optimizer state for all. Source: Li et al., "Scaling
// distributed machine learning with the parameter server", 2014, here with one server and in step.
#pragma once

#include "core/exchange/channel_exchange.hpp"

namespace dp::core {

class ServerExchange final : public ChannelExchange {
public:
    static constexpr ExchangeTraits kTraits{
        .name = "server",
        .former_name = "",
        .description = "rank 0 sums, updates for all and hands the parameters out",
        .update = UpdateKind::kCentral,
        .order = SumOrder::kRing,
        .meets_at_publish = true,
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };
    /// Workers to the server, and the server to all.
    static std::vector<std::size_t> receivers(std::size_t rank, std::size_t world_size);
    static constexpr Receivers kReceivers = receivers;

    explicit ServerExchange(ChannelSetup setup);

    /// Others never read this rank's gradients.
    void begin_step() override {}
    void publish(std::span<float> parameters) override;

private:
    bool advance() override;
    void await(std::size_t count) override;

    [[nodiscard]] bool serves() const { return rank() == 0; }
    /// The next segment of the bucket; empty behind a short chunk's end.
    [[nodiscard]] Range next_segment() const;
    void sum(Range segment);
    void send(std::size_t to, std::span<const float> values, std::size_t bucket);
    void hand_out(std::span<const float> part, std::size_t bucket);
    void pull(std::span<float> part, std::size_t bucket);
    void go_on();

    std::vector<float*> addends_;  // by rank, from the segment's beginning; rank 0's alone
    // The next segment of the bucket.
    std::size_t chunk_ = 0;
    std::size_t segment_ = 0;
};

}  // namespace dp::core
