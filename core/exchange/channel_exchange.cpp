#include "core/exchange/channel_exchange.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"

namespace dp::core {

ChannelExchange::ChannelExchange(ChannelSetup setup, const ExchangeTraits& traits)
    : PiecewiseExchange(setup.channels->rank(), setup.channels->world_size(),
                        std::move(setup.buckets), setup.handed, setup.limits),
      channels_(std::move(setup.channels)),
      traits_(traits),
      own_(setup.shared_gradients.empty() ? setup.size : 0),
      gradients_(setup.shared_gradients.empty() ? own_.span() : setup.shared_gradients),
      update_ranges_{{0, setup.size}} {
    if (setup.update == UpdateKind::kSharded) {
        DP_CHECK(traits.can_shard, ==, true);
        traits_.update = UpdateKind::kSharded;
        traits_.meets_at_publish = true;
    }
    std::ranges::fill(gradients_, 0.F);
}

Range ChannelExchange::segment_of(Range range, std::size_t index) const {
    const std::size_t begin = std::min(index * segment_floats(), range.size);
    return {range.offset + begin, std::min(segment_floats(), range.size - begin)};
}

void ChannelExchange::send(Channel& to, std::span<const std::byte> bytes) {
    to.wait_for_room(limits());
    std::ranges::copy(bytes, to.slot().begin());
    to.push(bytes.size());
}

void ChannelExchange::receive(Channel& from, std::span<std::byte> bytes) {
    from.wait_for_segment(limits());
    std::ranges::copy(from.segment().first(bytes.size()), bytes.begin());
    from.pop();
}

void ChannelExchange::broadcast(std::span<float> values) {
    const auto bytes = std::as_writable_bytes(values);
    const std::size_t most = channels_->segment_bytes();
    for (std::size_t at = 0; at < bytes.size(); at += most) {
        const auto part = bytes.subspan(at, std::min(most, bytes.size() - at));
        if (rank() != 0) receive(channels_->with(left()), part);
        if (rank() + 1 < world_size()) send(channels_->with(right()), part);
    }
    flush();
}

void ChannelExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * world_size());
    const auto slot = [&](std::size_t rank) {
        return all.subspan(rank * mine.size(), mine.size());
    };
    std::ranges::copy(mine, slot(rank()).begin());
    // A channel holds at least one segment, so that all may send before they receive.
    for (std::size_t s = 0; s + 1 < world_size(); ++s) {
        send(channels_->with(right()), slot(rank_at(s)));
        receive(channels_->with(left()), slot(rank_at(s + 1)));
    }
    flush();
}

void ChannelExchange::send_report(Channel& to, std::string_view report) {
    const std::uint64_t size = report.size();
    send(to, std::as_bytes(std::span(&size, 1)));
    for (std::size_t at = 0; at < report.size(); at += channels_->segment_bytes()) {
        send(to, std::as_bytes(std::span(report.substr(at, channels_->segment_bytes()))));
    }
}

std::string ChannelExchange::receive_report(Channel& from) {
    std::uint64_t size = 0;
    receive(from, std::as_writable_bytes(std::span(&size, 1)));
    std::string report(size, '\0');
    const auto bytes = std::as_writable_bytes(std::span(report));
    for (std::size_t at = 0; at < bytes.size(); at += channels_->segment_bytes()) {
        receive(from, bytes.subspan(at, std::min(channels_->segment_bytes(), bytes.size() - at)));
    }
    return report;
}

std::vector<std::string> ChannelExchange::gather(std::string_view mine) {
    // Rank r sends its own, then passes on those of r-1, r-2, .. 1. Rank 0 sends nothing, so that
    // the chain of waits ends.
    std::vector<std::string> all;
    if (rank() == 0) {
        all.emplace_back(mine);
        for (std::size_t r = 1; r < world_size(); ++r) {
            all.push_back(receive_report(channels_->with(left())));
        }
        std::reverse(all.begin() + 1, all.end());  // the nearest came first
        return all;
    }
    send_report(channels_->with(right()), mine);
    for (std::size_t r = 1; r < rank(); ++r) {
        send_report(channels_->with(right()), receive_report(channels_->with(left())));
    }
    flush();
    return all;
}

}  // namespace dp::core
