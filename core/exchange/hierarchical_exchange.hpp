// All-reduce in two levels over two other exchanges: one among the ranks of a group, which leaves
// each of them a slice of the group's sum, and one for each slice, among the ranks that have that
// slice in their groups. Threads within a process and messages between processes are such a pair;
// this class knows neither.
//
//   rank (g, t), of T in each of G groups    inner: ranks (g, *)     outer: ranks (*, t)
//   bucket handed over                       sums slice t            -
//   slice t of the group summed              -                       sums slice t of all groups
//   publish                                  all slices are updated  -
//
// The outer exchange's buckets are the inner one's update ranges, in the same memory: once the
// inner has summed slice t of a bucket, nobody but its rank touches that slice of its block, so
// that the outer may start at once and leave the whole sum there. Both advance between backward's
// layers.
//
// Order (SumOrder::kGrouped): slice t of a bucket is the sum, in the outer's order, of the groups'
// sums, each in the inner's order.
//
// Cost for G groups of T ranks and S bytes: the inner's for T ranks and S bytes, and the outer's
// for G ranks and S / T bytes, T of them at once. So what crosses a group's border is 2 S (G-1)/G
// bytes for all its ranks together, where one level sends that for each rank. Source: Goyal et al.,
// "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 4.
#pragma once

#include <memory>

#include "core/exchange/piecewise_exchange.hpp"

namespace dp::core {

class HierarchicalExchange final : public GradientExchange {
public:
    /// On input: ranks of a group are neighbours; `inner` leaves its sums in the block that
    /// `outer` exchanges, whose buckets are inner->update_ranges(), one for each of its buckets.
    /// `groups` of `group_size` ranks.
    HierarchicalExchange(const ExchangeTraits& traits, std::size_t groups, std::size_t group_size,
                         std::unique_ptr<PiecewiseExchange> inner,
                         std::unique_ptr<PiecewiseExchange> outer);

    const ExchangeTraits& traits() const override { return traits_; }
    std::span<const Range> buckets() const override { return inner_->buckets(); }
    void begin_step() override;
    void hand_over(std::size_t count) override { inner_->hand_over(count); }
    void progress() override;
    void finish(std::size_t count) override;
    std::span<const Range> update_ranges() const override { return inner_->update_ranges(); }
    std::span<const float> summed_gradients() const override { return outer_->summed_gradients(); }
    void publish(std::span<float> parameters) override { inner_->publish(parameters); }
    void broadcast(std::span<float> values) override;
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override;
    std::vector<std::string> gather(std::string_view mine) override;
    ExchangeStats stats() const override;
    void set_trace(StepTrace* trace) override;

private:
    /// The first `count` buckets are the outer's to sum now.
    void pass_on(std::size_t count);

    const ExchangeTraits traits_;
    const std::size_t groups_;
    const std::size_t group_size_;
    const std::unique_ptr<PiecewiseExchange> inner_;
    const std::unique_ptr<PiecewiseExchange> outer_;
    std::size_t passed_on_ = 0;  // buckets of this step
};

}  // namespace dp::core
