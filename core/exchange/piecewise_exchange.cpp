#include "core/exchange/piecewise_exchange.hpp"

#include <chrono>
#include <utility>

#include "core/base/check.hpp"
#include "core/measure/trace.hpp"

namespace dp::core {

PiecewiseExchange::PiecewiseExchange(std::size_t rank, std::size_t world_size,
                                     std::vector<Range> buckets, SharedCounter* handed,
                                     const WaitLimits& limits)
    : rank_(rank),
      world_size_(world_size),
      buckets_(std::move(buckets)),
      handed_counter_(handed),
      limits_(limits),
      before_(handed == nullptr ? 0 : handed->load()) {}

void PiecewiseExchange::hand_over(std::size_t count) {
    if (count == handed_) return;
    DP_CHECK(count, >, handed_);
    const TraceSpan span(
        trace(), "hand over",
        {.kind = TraceKind::kHandOver, .bucket = handed_, .count = count - handed_});
    handed_ = count;
    if (handed_counter_ != nullptr) {
        handed_counter_->publish(before_ + static_cast<std::uint32_t>(count));
    }
}

void PiecewiseExchange::progress() {
    const auto start = std::chrono::steady_clock::now();
    if (!advance()) return;
    while (advance()) {
    }
    stats_.hidden_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void PiecewiseExchange::finish(std::size_t count) {
    DP_CHECK(count, <=, handed_);
    while (!complete(count)) {
        if (!advance()) await(count);
    }
    settle();
    ++stats_.calls;
    if (count < buckets_.size()) return;
    before_ += static_cast<std::uint32_t>(count);
    handed_ = bucket_ = 0;
}

std::size_t PiecewiseExchange::summed() const {
    std::size_t count = 0;
    while (count < handed_ && complete(count + 1)) ++count;
    return count;
}

void PiecewiseExchange::count_wait(double seconds, std::string_view what, std::size_t peer,
                                   std::size_t bucket) {
    stats_.wait_seconds += seconds;
    record_wait(trace(), seconds, what, peer, bucket);
}

}  // namespace dp::core
