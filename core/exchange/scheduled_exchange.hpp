// Reductions whose messages are known beforehand: each is a list of steps per bucket, made once,
// and this class does them. A step sends a range of the block to one rank, receives one from a
// rank, or both at once; the next step begins when it is done.
//
// What may be overwritten when: the i-th segment of what a step receives is used only after the
// i-th segment of what it sends has been copied into the channel. So a step may send and receive
// the same range.
//
// Why no wait is for ever, whatever channels hold: of the two ranks of a message, take the one
// whose step is earlier in the list of its algorithm. Its peer is past that step or in it. If past,
// all that the peer sent is in the channel and all it received has been taken out. If both are in
// it and neither can send, each one's channel holds segments that the other has not taken, so each
// has sent more than it has received, and may receive.
#pragma once

#include <string_view>
#include <vector>

#include "core/exchange/channel_exchange.hpp"
#include "core/exchange/fold.hpp"
#include "core/measure/trace.hpp"

namespace dp::core {

struct MessageStep {
    std::string_view name;  // a literal, for the trace
    std::size_t round = 0;  // of the algorithm; both ends of a message agree on it
    std::size_t to = kNone;
    Range send = {};
    std::size_t from = kNone;
    Range receive = {};
    bool adds = false;  // what it receives, to what is there; else it replaces that
};

/// One rank's part in the all-reduce of one bucket, and the part of the bucket of which it holds
/// the whole sum once it has done `reduce`. `gather` sends that to all.
struct Schedule {
    std::vector<MessageStep> reduce = {};
    std::vector<MessageStep> gather = {};
    Range owned = {};
};

/// Makes the schedule of one rank for a bucket; the same steps whatever the bucket's size.
using MakeSchedule = Schedule (*)(std::size_t rank, std::size_t world_size, Range bucket);

/// The ranks that `rank` sends to.
std::vector<std::size_t> receivers_of(MakeSchedule make, std::size_t rank, std::size_t world_size);

/// Folds `rank` in before the other steps: round 0.
void add_fold(std::vector<MessageStep>& steps, const Fold& fold, std::size_t rank, Range bucket);
/// Hands the result of all other steps to the ranks that rest.
void add_unfold(std::vector<MessageStep>& steps, const Fold& fold, std::size_t rank, Range bucket);

class ScheduledExchange final : public ChannelExchange {
public:
    ScheduledExchange(ChannelSetup setup, const ExchangeTraits& traits, MakeSchedule make);

    /// Others never read this rank's gradients.
    void begin_step() override {}
    /// Sharded: does the second half of the schedules, with parameters.
    void publish(std::span<float> parameters) override;

private:
    bool advance() override;
    void await(std::size_t count) override;

    /// Sends or receives the next segment of `step`, if that needs no waiting.
    bool move(const MessageStep& step, std::span<float> block, std::size_t bucket);
    bool try_send(const MessageStep& step, std::span<float> block, std::size_t bucket);
    bool try_receive(const MessageStep& step, std::span<float> block, std::size_t bucket);
    [[nodiscard]] bool is_done(const MessageStep& step) const;
    /// True while nothing is left to receive, or what comes next may overwrite what is not sent.
    [[nodiscard]] bool must_send_first(const MessageStep& step) const;
    /// Waits until move() can do something; returns the seconds.
    double wait(const MessageStep& step);
    [[nodiscard]] std::size_t awaited(const MessageStep& step) const {
        return must_send_first(step) ? step.to : step.from;
    }
    [[nodiscard]] std::string_view missing(const MessageStep& step) const {
        return must_send_first(step) ? "free slot" : "message";
    }

    /// By bucket: what the exchange does, and what publish() does.
    std::vector<std::vector<MessageStep>> exchanged_;
    std::vector<std::vector<MessageStep>> published_;
    // The next step of the bucket, and its segments done.
    std::size_t step_ = 0;
    std::size_t sent_ = 0;
    std::size_t received_ = 0;
};

}  // namespace dp::core
