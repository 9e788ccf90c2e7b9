#include "multiproc/shared_ring_exchange.hpp"

#include <algorithm>

#include "core/measure/trace.hpp"

namespace dp::multiproc {

using core::Range;

namespace {

// Smaller pieces cost more wake-ups where ranks share a core, larger ones leave a neighbour that is
// a little late less slack.
constexpr std::size_t kPieceFloats = std::size_t{128} * 1024 / sizeof(float);

Range piece_of(Range chunk, std::size_t index) {
    const std::size_t begin = std::min(index * kPieceFloats, chunk.size);
    return {chunk.offset + begin, std::min(kPieceFloats, chunk.size - begin)};
}

}  // namespace

SharedRingExchange::SharedRingExchange(ExchangeSetup setup)
    : SegmentExchange(std::move(setup), kTraits),
      own_(segment().counters(rank())),
      left_(segment().counters(rank_at(1))),
      right_(segment().counters(rank_at(world_size() - 1))),
      left_gradients_(segment().gradients(rank_at(1))),
      done_(own_.done.load()) {
    for (const Range& bucket : buckets()) {
        const std::size_t longest = core::chunk_of(bucket, world_size(), 0).size;
        const std::size_t pieces = (longest + kPieceFloats - 1) / kPieceFloats;
        pieces_.push_back(static_cast<std::uint32_t>(std::max<std::size_t>(1, pieces)));
    }
}

void SharedRingExchange::begin_step() {
    if (world_size() == 1) return;
    // All ranks count the same pieces, and the right neighbour is not ahead: it needs this rank's.
    const double waited =
        right_.done.wait([this](std::uint32_t done) { return done == done_; }, limits());
    count_wait(waited, "reading", rank_at(world_size() - 1), core::kNone);
}

SharedRingExchange::Condition SharedRingExchange::condition() const {
    if (step_ == 0) {
        return {left_.handed, buckets_before() + static_cast<std::uint32_t>(bucket())};
    }
    return {left_.done, done_ - pieces_[bucket()]};
}

bool SharedRingExchange::advance() {
    if (world_size() == 1 || bucket() >= handed()) return false;
    const Condition needed = condition();
    if (!is_past(needed.counter.load(), needed.passed)) return false;
    const Range piece = next_piece();
    core::TraceSpan span(trace(), reduces() ? "reduce-scatter" : "all-gather",
                         {.kind = core::TraceKind::kTransfer,
                          .bucket = bucket(),
                          .peer = rank_at(1),
                          .ring_step = step_,
                          .group = 0,
                          .bytes = piece.size * sizeof(float)});
    do_piece(piece);
    span.tell();
    go_on();
    return true;
}

void SharedRingExchange::await(std::size_t /*count*/) {
    const Condition needed = condition();
    const double waited = needed.counter.wait(
        [&](std::uint32_t value) { return is_past(value, needed.passed); }, limits());
    count_wait(waited, step_ == 0 ? "hand-over" : "chunk", rank_at(1), bucket());
}

Range SharedRingExchange::next_piece() const {
    const std::size_t chunk = rank_at(reduces() ? step_ + 1 : step_ + 1 - world_size());
    return piece_of(core::chunk_of(buckets()[bucket()], world_size(), chunk), piece_);
}

void SharedRingExchange::do_piece(Range piece) {
    const float* __restrict from = left_gradients_.data() + piece.offset;
    float* __restrict own = gradients().data() + piece.offset;
    if (reduces()) {
        for (std::size_t i = 0; i < piece.size; ++i) own[i] += from[i];
    } else {
        std::copy_n(from, piece.size, own);
    }
    count_sent(piece.size);
}

void SharedRingExchange::go_on() {
    own_.done.publish(++done_);
    if (++piece_ < pieces_[bucket()]) return;
    piece_ = 0;
    if (++step_ < 2 * (world_size() - 1)) return;
    step_ = 0;
    end_bucket();
}

}  // namespace dp::multiproc
