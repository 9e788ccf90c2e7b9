#include "core/exchange/server_exchange.hpp"

#include <algorithm>
#include <utility>

#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::core {
namespace {

// As the trace numbers them: what a round receives comes of what the one before sends.
enum Round : std::size_t { kPush, kTake, kHandOut, kPull };

}  // namespace

std::vector<std::size_t> ServerExchange::receivers(std::size_t rank, std::size_t world_size) {
    if (rank != 0) return {0};
    std::vector<std::size_t> workers;
    for (std::size_t worker = 1; worker < world_size; ++worker) workers.push_back(worker);
    return workers;
}

ServerExchange::ServerExchange(ChannelSetup setup)
    : ChannelExchange(std::move(setup), kTraits), addends_(world_size()) {
    if (!serves()) set_update_ranges({});
}

Range ServerExchange::next_segment() const {
    return segment_of(chunk_of(buckets()[bucket()], world_size(), chunk_), segment_);
}

bool ServerExchange::advance() {
    if (world_size() == 1 || bucket() >= handed()) return false;
    const Range segment = next_segment();
    if (segment.size > 0 && serves()) {
        for (std::size_t worker = 1; worker < world_size(); ++worker) {
            if (!channels().with(worker).has_segment()) return false;
        }
        sum(segment);
    } else if (segment.size > 0) {
        if (!channels().with(0).has_room()) return false;
        send(0, gradients().subspan(segment.offset, segment.size), bucket());
    }
    go_on();
    return true;
}

void ServerExchange::await(std::size_t /*count*/) {
    if (!serves()) {
        count_wait(channels().with(0).wait_for_room(limits()), "free slot", 0, bucket());
        return;
    }
    for (std::size_t worker = 1; worker < world_size(); ++worker) {
        count_wait(channels().with(worker).wait_for_segment(limits()), "gradients", worker,
                   bucket());
    }
}

void ServerExchange::sum(Range segment) {
    // Of all workers; the last one stands for them.
    const TraceSpan span(trace(), "sum",
                         {.kind = TraceKind::kTransfer,
                          .bucket = bucket(),
                          .peer = world_size() - 1,
                          .ring_step = kTake,
                          .group = 0,
                          .bytes = 0});
    float* const own = gradients().data() + segment.offset;
    addends_[0] = own;
    for (std::size_t worker = 1; worker < world_size(); ++worker) {
        // Only read: the sum is written over rank 0's.
        addends_[worker] = reinterpret_cast<float*>(
            const_cast<std::byte*>(channels().with(worker).segment().data()));
    }
    sum_chunk(addends_, chunk_, {0, segment.size}, own);
    for (std::size_t worker = 1; worker < world_size(); ++worker) channels().with(worker).pop();
}

void ServerExchange::send(std::size_t to, std::span<const float> values, std::size_t bucket) {
    TraceSpan span(trace(), serves() ? "hand out" : "push",
                   {.kind = TraceKind::kTransfer,
                    .bucket = bucket,
                    .ring_step = serves() ? kHandOut : kPush,
                    .group = 0,
                    .bytes = values.size_bytes()});
    Channel& channel = channels().with(to);
    std::ranges::copy(std::as_bytes(values), channel.slot().begin());
    span.tell();
    channel.push(values.size_bytes());
    count_sent(values.size());
}

void ServerExchange::go_on() {
    const std::size_t size = chunk_of(buckets()[bucket()], world_size(), chunk_).size;
    if (++segment_ < segments_of(size)) return;
    segment_ = 0;
    if (++chunk_ < world_size()) return;
    chunk_ = 0;
    end_bucket();
}

void ServerExchange::publish(std::span<float> parameters) {
    for (std::size_t b = 0; b < buckets().size(); ++b) {
        for (std::size_t i = 0; i < segments_of(buckets()[b].size); ++i) {
            const Range range = segment_of(buckets()[b], i);
            const std::span<float> part = parameters.subspan(range.offset, range.size);
            serves() ? hand_out(part, b) : pull(part, b);
        }
    }
    flush();
}

void ServerExchange::hand_out(std::span<const float> part, std::size_t bucket) {
    for (std::size_t worker = 1; worker < world_size(); ++worker) {
        const double waited = channels().with(worker).wait_for_room(limits());
        record_wait(trace(), waited, "free slot", worker, bucket);
        send(worker, part, bucket);
    }
}

void ServerExchange::pull(std::span<float> part, std::size_t bucket) {
    Channel& server = channels().with(0);
    record_wait(trace(), server.wait_for_segment(limits()), "parameters", 0, bucket);
    const TraceSpan span(trace(), "pull",
                         {.kind = TraceKind::kTransfer,
                          .bucket = bucket,
                          .peer = 0,
                          .ring_step = kPull,
                          .group = 0,
                          .bytes = 0});
    std::copy_n(reinterpret_cast<const float*>(server.segment().data()), part.size(), part.begin());
    server.pop();
}

}  // namespace dp::core
