// When a worker hands over what, and what it has summed by then.
#include "core/train/hand_over.hpp"

#include <array>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using namespace dp;
using core::Range;

namespace {

/// Three buckets of four floats, the last floats first; notes what it is told.
class NotingExchange final : public core::GradientExchange {
public:
    explicit NotingExchange(std::span<const float> gradients) : gradients_(gradients) {}

    std::vector<std::size_t> handed_over;
    std::vector<float> seen;  // the first gradient of the last bucket handed over, each time

    const core::ExchangeTraits& traits() const override { return traits_; }
    std::span<const Range> buckets() const override { return kBuckets; }
    void begin_step() override {}
    void hand_over(std::size_t count) override {
        handed_over.push_back(count);
        if (count != 0) seen.push_back(gradients_[kBuckets[count - 1].offset]);
    }
    void progress() override {}
    void finish(std::size_t /*count*/) override {}
    std::span<const Range> update_ranges() const override { return {}; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    void publish(std::span<float> /*parameters*/) override {}
    void broadcast(std::span<float> /*values*/) override {}
    void all_gather(std::span<const std::byte> /*mine*/, std::span<std::byte> /*all*/) override {}
    std::vector<std::string> gather(std::string_view /*mine*/) override { return {}; }
    core::ExchangeStats stats() const override { return {}; }

private:
    static constexpr std::array<Range, 3> kBuckets{Range{8, 4}, Range{4, 4}, Range{0, 4}};
    core::ExchangeTraits traits_;
    std::span<const float> gradients_;
};

using Block = std::array<float, 12>;

/// A block of `value` each.
Block block_of(float value) {
    Block block{};
    block.fill(value);
    return block;
}

}  // namespace

TEST_CASE("buckets are handed over as the last rank's backward completes them, summed over all") {
    std::vector<Block> gradients{block_of(1), block_of(2), block_of(4), block_of(8)};
    core::WorkerBlocks blocks;
    for (Block& block : gradients) blocks.ranks.push_back({blocks.ranks.size(), block, {}});
    NotingExchange exchange(gradients[0]);
    core::HandOver hand_over(exchange, blocks);
    for (int step = 0; step < 2; ++step) {
        gradients[0] = block_of(1);
        exchange.handed_over.clear();
        exchange.seen.clear();
        hand_over.begin_step(nullptr);
        hand_over.on_gradients(10);  // within the first bucket
        CHECK(gradients[0] == block_of(1));
        hand_over.on_gradients(4);
        CHECK(exchange.handed_over == std::vector<std::size_t>{0, 2});
        CHECK(exchange.seen == std::vector<float>{15});
        CHECK(gradients[0][8] == 15);
        CHECK(gradients[0][0] == 1);
        hand_over.on_gradients(0);  // backward has ended
        CHECK(exchange.handed_over.size() == 2);
        hand_over.complete();
        CHECK(gradients[0] == block_of(15));
        CHECK(gradients[3] == block_of(8));
    }
}

TEST_CASE("gradients of a single rank are handed over as they are") {
    Block gradients = block_of(3);
    core::WorkerBlocks blocks;
    blocks.ranks.push_back({0, gradients, {}});
    blocks.sum_ranks = [](auto, auto) { FAIL("nothing is to be summed"); };
    NotingExchange exchange(gradients);
    core::HandOver hand_over(exchange, blocks);
    hand_over.begin_step(nullptr);
    hand_over.on_gradients(8);
    hand_over.complete();
    CHECK(exchange.handed_over == std::vector<std::size_t>{1});
    CHECK(gradients == block_of(3));
}
