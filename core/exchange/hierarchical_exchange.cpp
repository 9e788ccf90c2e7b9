#include "core/exchange/hierarchical_exchange.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::core {

HierarchicalExchange::HierarchicalExchange(const ExchangeTraits& traits, std::size_t groups,
                                           std::size_t group_size,
                                           std::unique_ptr<PiecewiseExchange> inner,
                                           std::unique_ptr<PiecewiseExchange> outer)
    : traits_(traits),
      groups_(groups),
      group_size_(group_size),
      inner_(std::move(inner)),
      outer_(std::move(outer)) {
    DP_CHECK(inner_->buckets().size(), ==, outer_->buckets().size());
    DP_CHECK(inner_->update_ranges().size(), ==, inner_->buckets().size());
}

void HierarchicalExchange::begin_step() {
    passed_on_ = 0;
    inner_->begin_step();
    outer_->begin_step();
}

void HierarchicalExchange::progress() {
    inner_->progress();
    pass_on(inner_->summed());
}

void HierarchicalExchange::pass_on(std::size_t count) {
    if (count > passed_on_) outer_->hand_over(passed_on_ = count);
    outer_->progress();
}

void HierarchicalExchange::finish(std::size_t count) {
    for (std::size_t next = std::min(inner_->summed() + 1, count); next <= count; ++next) {
        inner_->finish(next);
        pass_on(next);
    }
    outer_->finish(count);
}

/// From rank 0 to its group, and from each of those to its own place in the other groups.
void HierarchicalExchange::broadcast(std::span<float> values) {
    inner_->broadcast(values);
    outer_->broadcast(values);
}

/// First all groups' bytes from the ranks in this one's place, then each group's from its ranks.
void HierarchicalExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(all.size(), ==, mine.size() * groups_ * group_size_);
    std::vector<std::byte> same_place(mine.size() * groups_);
    outer_->all_gather(mine, same_place);
    const std::size_t group_bytes = mine.size() * group_size_;
    for (std::size_t g = 0; g < groups_; ++g) {
        inner_->all_gather(std::span(same_place).subspan(g * mine.size(), mine.size()),
                           all.subspan(g * group_bytes, group_bytes));
    }
}

/// Each place's reports to group 0, then those of each group to rank 0.
std::vector<std::string> HierarchicalExchange::gather(std::string_view mine) {
    std::vector<std::string> same_place = outer_->gather(mine);
    const bool first_group = !same_place.empty();
    same_place.resize(groups_);
    std::vector<std::string> all;
    for (const std::string& report : same_place) {
        for (std::string& rank : inner_->gather(report)) all.push_back(std::move(rank));
    }
    if (!first_group) all.clear();
    return all;
}

ExchangeStats HierarchicalExchange::stats() const {
    ExchangeStats sum = inner_->stats();
    const ExchangeStats outer = outer_->stats();
    sum.wait_seconds += outer.wait_seconds;
    sum.hidden_seconds += outer.hidden_seconds;
    sum.sent_bytes += outer.sent_bytes;
    sum.calls = outer.calls;  // the inner's are one for each bucket that progress() left
    return sum;
}

void HierarchicalExchange::set_trace(StepTrace* trace) {
    inner_->set_trace(trace);
    outer_->set_trace(trace);
}

}  // namespace dp::core
