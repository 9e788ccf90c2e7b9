#include "core/exchange/scheduled_exchange.hpp"

#include <algorithm>
#include <utility>

namespace dp::core {

std::vector<std::size_t> receivers_of(MakeSchedule make, std::size_t rank, std::size_t world_size) {
    const Schedule schedule = make(rank, world_size, {0, 0});
    std::vector<std::size_t> all;
    for (const auto* steps : {&schedule.reduce, &schedule.gather}) {
        for (const MessageStep& step : *steps) {
            if (step.to != kNone) all.push_back(step.to);
        }
    }
    return all;
}

void add_fold(std::vector<MessageStep>& steps, const Fold& fold, std::size_t rank, Range bucket) {
    if (!fold.is_paired(rank)) return;
    if (fold.rests(rank)) {
        steps.push_back({.name = "fold", .to = rank - 1, .send = bucket});
    } else {
        steps.push_back({.name = "fold", .from = rank + 1, .receive = bucket, .adds = true});
    }
}

void add_unfold(std::vector<MessageStep>& steps, const Fold& fold, std::size_t rank, Range bucket) {
    if (!fold.is_paired(rank)) return;
    const std::size_t last = 1 + 2 * fold.levels();
    if (fold.rests(rank)) {
        steps.push_back({.name = "unfold", .round = last, .from = rank - 1, .receive = bucket});
    } else {
        steps.push_back({.name = "unfold", .round = last, .to = rank + 1, .send = bucket});
    }
}

ScheduledExchange::ScheduledExchange(ChannelSetup setup, const ExchangeTraits& traits,
                                     MakeSchedule make)
    : ChannelExchange(std::move(setup), traits) {
    std::vector<Range> owned;
    for (const Range& bucket : buckets()) {
        Schedule schedule = make(rank(), world_size(), bucket);
        owned.push_back(schedule.owned);
        exchanged_.push_back(std::move(schedule.reduce));
        published_.emplace_back();
        std::vector<MessageStep>& then = sharded() ? published_.back() : exchanged_.back();
        then.insert(then.end(), schedule.gather.begin(), schedule.gather.end());
    }
    if (sharded()) set_update_ranges(std::move(owned));
}

bool ScheduledExchange::advance() {
    if (world_size() == 1 || bucket() >= handed()) return false;
    const std::vector<MessageStep>& steps = exchanged_[bucket()];
    // A rank may have nothing to do for a bucket, and a step nothing to send.
    const bool moved =
        step_ == steps.size() || is_done(steps[step_]) || move(steps[step_], gradients(), bucket());
    if (!moved) return false;
    if (step_ < steps.size() && is_done(steps[step_])) {
        sent_ = received_ = 0;
        ++step_;
    }
    if (step_ == steps.size()) {
        step_ = 0;
        end_bucket();
    }
    return true;
}

void ScheduledExchange::await(std::size_t /*count*/) {
    const MessageStep& step = exchanged_[bucket()][step_];
    const std::string_view what = missing(step);
    const std::size_t peer = awaited(step);
    count_wait(wait(step), what, peer, bucket());
}

void ScheduledExchange::publish(std::span<float> parameters) {
    for (std::size_t b = 0; b < published_.size(); ++b) {
        for (const MessageStep& step : published_[b]) {
            while (!is_done(step)) {
                if (move(step, parameters, b)) continue;
                const std::string_view what = missing(step);
                const std::size_t peer = awaited(step);
                record_wait(trace(), wait(step), what, peer, b);
            }
            sent_ = received_ = 0;
        }
    }
    flush();
}

bool ScheduledExchange::is_done(const MessageStep& step) const {
    return sent_ == segments_of(step.send.size) && received_ == segments_of(step.receive.size);
}

bool ScheduledExchange::must_send_first(const MessageStep& step) const {
    return sent_ < segments_of(step.send.size) &&
           (sent_ == received_ || received_ == segments_of(step.receive.size));
}

double ScheduledExchange::wait(const MessageStep& step) {
    return must_send_first(step) ? channels().with(step.to).wait_for_room(limits())
                                 : channels().with(step.from).wait_for_segment(limits());
}

bool ScheduledExchange::move(const MessageStep& step, std::span<float> block, std::size_t bucket) {
    return try_send(step, block, bucket) || try_receive(step, block, bucket);
}

bool ScheduledExchange::try_send(const MessageStep& step, std::span<float> block,
                                 std::size_t bucket) {
    if (sent_ == segments_of(step.send.size)) return false;
    Channel& channel = channels().with(step.to);
    if (!channel.has_room()) return false;
    const Range range = segment_of(step.send, sent_);
    const auto bytes = std::as_bytes(block.subspan(range.offset, range.size));
    // Even and odd, so that what a step receives comes of what the same round sends.
    TraceSpan span(trace(), "send",
                   {.kind = TraceKind::kTransfer,
                    .bucket = bucket,
                    .ring_step = 2 * step.round,
                    .group = 0,
                    .bytes = bytes.size()});
    std::ranges::copy(bytes, channel.slot().begin());
    span.tell();
    channel.push(bytes.size());
    count_sent(range.size);
    ++sent_;
    return true;
}

bool ScheduledExchange::try_receive(const MessageStep& step, std::span<float> block,
                                    std::size_t bucket) {
    if (received_ == segments_of(step.receive.size) || must_send_first(step)) return false;
    Channel& channel = channels().with(step.from);
    if (!channel.has_segment()) return false;
    const Range range = segment_of(step.receive, received_);
    const TraceSpan span(trace(), step.name,
                         {.kind = TraceKind::kTransfer,
                          .bucket = bucket,
                          .peer = step.from,
                          .ring_step = 2 * step.round + 1,
                          .group = 0,
                          .bytes = 0});
    const auto* __restrict in = reinterpret_cast<const float*>(channel.segment().data());
    float* __restrict own = block.data() + range.offset;
    if (step.adds) {
        for (std::size_t i = 0; i < range.size; ++i) own[i] += in[i];
    } else {
        std::copy_n(in, range.size, own);
    }
    channel.pop();
    ++received_;
    return true;
}

}  // namespace dp::core
