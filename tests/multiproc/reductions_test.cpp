// Every reduction of the table between forked processes. What a child finds wrong comes back as its
// report.
#include "multiproc/reductions.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "core/exchange/sum_chunk.hpp"
#include "multiproc/process_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/sums.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using core::ChannelExchange;
using core::Range;
using multiproc::Reduction;
using multiproc::SharedSegment;

namespace {

struct Case {
    const Reduction& reduction;
    std::size_t world = 1;
    std::vector<Range> buckets;
    std::size_t size = 0;
    double timeout_seconds = 60.0;
    std::uint32_t first_count = 0;
    multiproc::ChannelShape shape = {};
    core::UpdateKind update = reduction.traits.update;
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// More processes take minutes, and the sanitizers see nothing new there. Races they see where
// threads stand for the ranks.
constexpr std::array<std::size_t, 3> kWorlds{1, 2, 3};
#else
constexpr auto& kWorlds = tests::kWorldSizes;
#endif

/// Forks the ranks of `test`, each of which returns count(exchange, rank); returns the counts.
template <typename Count>
std::vector<std::string> count_in_ranks(const Case& test, const Count& count) {
    multiproc::SegmentPlan plan = test.reduction.plan(test.world, test.size);
    plan.first_count = test.first_count;
    plan.shape = test.shape;
    SharedSegment segment(plan);
    multiproc::GroupCallbacks callbacks;
    callbacks.work = [&](std::size_t rank) {
        const auto exchange = test.reduction.make(
            {segment, rank, test.buckets, test.size, test.timeout_seconds, test.update});
        return std::to_string(count(*exchange, rank));
    };
    callbacks.on_failure = [&] { segment.failed().store(1); };
    return multiproc::run_process_group(test.world, callbacks);
}

std::vector<std::string> all(std::size_t world, std::size_t value) {
    return std::vector<std::string>(world, std::to_string(value));
}

/// Wrong sums and parameters over a few steps, in which rank r sleeps in step r.
std::vector<std::string> count_wrong(const Case& test) {
    return count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
        std::vector<float> parameters(test.size);
        std::size_t wrong = 0;
        for (std::size_t round = 0; round < 3; ++round) {
            exchange.begin_step();
            tests::fill_integers(rank, round, exchange.gradients());
            if (rank == round) usleep(2000);
            exchange.reduce();
            wrong += tests::count_wrong_updates(exchange, test.world, round, parameters);
        }
        return wrong;
    });
}

/// Calls `check`(reduction) for each row of the table.
template <typename Check>
void for_each_reduction(const Check& check) {
    for (const Reduction& reduction : multiproc::reductions()) {
        INFO("reduction " << reduction.traits.name);
        check(reduction);
    }
}

/// By hand, in one bucket: the sums of `blocks`, one for each rank.
std::vector<float> sums_in_order(core::SumOrder order,
                                 const std::vector<std::vector<float>>& blocks) {
    const std::size_t world = blocks.size();
    std::vector<float> sums(blocks.front().size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        std::vector<float> terms;
        const std::size_t share = core::chunk_of({0, sums.size()}, world, 0).size;
        for (std::size_t k = 0; k < world; ++k) {
            const std::size_t first = order == core::SumOrder::kRing ? i / share : 0;
            terms.push_back(blocks[(first + k) % world][i]);
        }
        if (order == core::SumOrder::kRing) {
            sums[i] = std::accumulate(terms.begin() + 1, terms.end(), terms[0]);
            continue;
        }
        // Pairs of neighbours: first as many as leave a power of two, then all.
        for (std::size_t pairs = world - std::bit_floor(world); terms.size() > 1;
             pairs = terms.size() / 2) {
            for (std::size_t p = 0; p < pairs; ++p) {
                terms[p] += terms[p + 1];
                terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(p) + 1);
            }
        }
        sums[i] = terms[0];
    }
    return sums;
}

const std::vector<Range> kThreeBuckets{{600, 400}, {16, 584}, {0, 16}};

}  // namespace

TEST_CASE("every reduction between processes gives every rank the exact sum") {
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            for (const std::size_t size : tests::sizes_for(world)) {
                INFO("world size " << world << " size " << size);
                CHECK(count_wrong({reduction, world, {{0, size}}, size}) == all(world, 0));
            }
        }
    });
}

TEST_CASE("every reduction between processes of several buckets gives the exact sums") {
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            CHECK(count_wrong({reduction, world, kThreeBuckets, 1000}) == all(world, 0));
            const std::vector<Range> large{{500'000, 500'000}, {40'000, 460'000}, {0, 40'000}};
            CHECK(count_wrong({reduction, world, large, 1'000'000}) == all(world, 0));
        }
    });
}

TEST_CASE("every reduction between processes adds in the stated order to the last bit") {
    constexpr std::size_t kSize = 5000;
    const Range bucket{0, kSize};
    const auto fill = [](std::size_t rank, std::span<float> values) {
        const core::RandomStream random(5, core::RandomUse::kSynthetic, {rank});
        for (std::size_t i = 0; i < kSize; ++i) values[i] = random.uniform(i) - 0.5F;
    };
    for (const std::size_t world : kWorlds) {
        std::vector<std::vector<float>> blocks(world, std::vector<float>(kSize));
        for (std::size_t rank = 0; rank < world; ++rank) fill(rank, blocks[rank]);
        for_each_reduction([&](const Reduction& reduction) {
            const std::vector<float> expected = sums_in_order(reduction.traits.order, blocks);
            const auto wrong = count_in_ranks(
                {reduction, world, {bucket}, kSize},
                [&](ChannelExchange& exchange, std::size_t rank) {
                    exchange.begin_step();
                    fill(rank, exchange.gradients());
                    exchange.reduce();
                    // A rank that updates nothing promises no sum.
                    const std::size_t size = exchange.update_ranges().empty() ? 0 : kSize;
                    return std::memcmp(exchange.summed_gradients().data(), expected.data(),
                                       size * sizeof(float)) != 0;
                });
            CHECK(wrong == all(world, 0));
        });
    }
}

TEST_CASE("buckets handed over one by one with progress between them give the exact sums") {
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            const Case test{reduction, world, kThreeBuckets, 1000};
            const auto wrong = count_in_ranks(test, [&](ChannelExchange& exchange,
                                                        std::size_t rank) {
                std::vector<float> parameters(1000);
                std::size_t count = 0;
                for (std::size_t round = 0; round < 50; ++round) {
                    exchange.begin_step();
                    for (std::size_t b = 0; b < kThreeBuckets.size(); ++b) {
                        const Range bucket = kThreeBuckets[b];
                        for (std::size_t i = bucket.offset; i < bucket.offset + bucket.size; ++i) {
                            exchange.gradients()[i] = tests::integer_at(rank, round, i);
                        }
                        if ((round + b) % (world + 1) == rank) usleep(200);
                        exchange.hand_over(b + 1);
                        exchange.progress();
                    }
                    exchange.finish(kThreeBuckets.size());
                    count += tests::count_wrong_updates(exchange, world, round, parameters);
                }
                return count;
            });
            CHECK(wrong == all(world, 0));
        }
    });
}

TEST_CASE("counters that wrap at 2^32 change no sum between processes") {
    const std::vector<Range> large{{500'000, 500'000}, {40'000, 460'000}, {0, 40'000}};
    for_each_reduction([&](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            Case test{reduction, world, large, 1'000'000};
            test.first_count = std::numeric_limits<std::uint32_t>::max() - 4;
            CHECK(count_wrong(test) == all(world, 0));
        }
    });
}

TEST_CASE("buckets summed one by one between processes give the exact sums, each in a call") {
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            const Case test{reduction, world, kThreeBuckets, 1000};
            const auto wrong =
                count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
                    std::size_t count = 0;
                    for (std::size_t round = 0; round < 20; ++round) {
                        exchange.begin_step();
                        tests::fill_integers(rank, round, exchange.gradients());
                        for (std::size_t b = 1; b <= kThreeBuckets.size(); ++b) {
                            exchange.hand_over(b);
                            exchange.finish(b);
                            for (const Range part :
                                 tests::updated_part(exchange, kThreeBuckets[b - 1])) {
                                count += tests::count_wrong_integers(world, round, part,
                                                                     exchange.summed_gradients());
                            }
                        }
                    }
                    return count + (exchange.stats().calls == 60 ? 0 : 1);
                });
            CHECK(wrong == all(world, 0));
        }
    });
}

TEST_CASE("reductions between processes have no data race when threads stand for the ranks") {
    // For the thread sanitizer, which sees no other process.
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : {2UL, 3UL, 4UL}) {
            constexpr std::size_t kSize = 200'000;
            SharedSegment segment(reduction.plan(world, kSize));
            std::vector<std::size_t> wrong(world);
            threaded::run_team(
                world,
                [&](std::size_t rank) {
                    const auto exchange = reduction.make(
                        {segment, rank, {{150'000, 50'000}, {0, 150'000}}, kSize, 60.0});
                    std::vector<float> parameters(kSize);
                    for (std::size_t round = 0; round < 20; ++round) {
                        exchange->begin_step();
                        tests::fill_integers(rank, round, exchange->gradients());
                        exchange->hand_over(1);
                        exchange->progress();
                        exchange->reduce();
                        wrong[rank] +=
                            tests::count_wrong_updates(*exchange, world, round, parameters);
                    }
                },
                [&] { segment.failed().store(1); });
            CHECK(wrong == std::vector<std::size_t>(world));
        }
    });
}

TEST_CASE("to hand over and to make progress does not wait for a rank that is late") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 3, kThreeBuckets, 1000};
        const auto late = count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
            const auto start = std::chrono::steady_clock::now();
            exchange.begin_step();
            tests::fill_integers(rank, 0, exchange.gradients());
            if (rank == 1) usleep(300'000);
            for (std::size_t b = 1; b <= kThreeBuckets.size(); ++b) {
                exchange.hand_over(b);
                exchange.progress();
            }
            const bool waited = std::chrono::steady_clock::now() - start >
                                std::chrono::milliseconds(rank == 1 ? 60'000 : 150);
            exchange.finish(kThreeBuckets.size());
            std::vector<float> parameters(1000);
            return tests::count_wrong_updates(exchange, 3, 0, parameters) + (waited ? 1 : 0);
        });
        CHECK(late == all(3, 0));
    });
}

TEST_CASE("progress() of the last rank to hand over moves the sum on, and counts it as hidden") {
    for_each_reduction([](const Reduction& reduction) {
        constexpr std::size_t kSize = 100'000;
        SharedSegment segment(reduction.plan(2, kSize));
        const auto early = reduction.make({segment, 0, {{0, kSize}}, kSize});
        const auto late = reduction.make({segment, 1, {{0, kSize}}, kSize});
        for (const auto& exchange : {early.get(), late.get()}) {
            exchange->begin_step();
            exchange->hand_over(1);
        }
        CHECK(late->stats().hidden_seconds == 0.0);
        late->progress();
        CHECK(late->stats().hidden_seconds > 0.0);
    });
}

TEST_CASE("a rank that never hands over lets the others' finish end with code 7") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 2, {{0, 64}}, 64, 0.2};
        const auto error = tests::error_of([&] {
            count_in_ranks(test, [](ChannelExchange& exchange, std::size_t rank) {
                exchange.begin_step();
                if (rank == 1) {
                    for (;;) pause();
                }
                exchange.reduce();
                return 0;
            });
        });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kStalled);
    });
}

TEST_CASE("a rank that waits in finish is released when another has failed") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 2, {{0, 64}}, 64};
        const auto error = tests::error_of([&] {
            count_in_ranks(test, [](ChannelExchange& exchange, std::size_t rank) {
                exchange.begin_step();
                if (rank == 1) {
                    usleep(100'000);  // until rank 0 sleeps
                    throw core::Error(core::ExitCode::kData, "rank 1 is out of data");
                }
                exchange.reduce();
                return 0;
            });
        });
        REQUIRE(error);
        CHECK(std::string(error->what()) == "rank 1 is out of data");
    });
}

TEST_CASE("processes broadcast rank 0's values and gather every rank's in order") {
    for (const std::size_t world : kWorlds) {
        const Case test{multiproc::reductions().front(), world, {}, 0};
        CHECK(count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
                  return tests::count_wrong_collectives(exchange, rank, world);
              }) == all(world, 0));
    }
}

TEST_CASE("every reduction between processes sends what its row states, all ranks together") {
    constexpr std::size_t kSize = 16 * 7 * 4 * 3;  // equal chunks for every world size below
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : {2UL, 3UL, 4UL, 7UL}) {
            const Case test{reduction, world, {{0, kSize}}, kSize};
            const auto sent = count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t) {
                std::vector<float> parameters(kSize);
                exchange.begin_step();
                exchange.reduce();
                exchange.publish(parameters);
                return exchange.stats().sent_bytes;
            });
            const double stated = reduction.traits.sent_per_byte(static_cast<double>(world));
            std::uint64_t sum = 0;
            for (const std::string& bytes : sent) sum += std::stoull(bytes);
            CHECK(static_cast<double>(sum) ==
                  Approx(stated * static_cast<double>(world * kSize * sizeof(float))));
        }
    });
}

TEST_CASE("channels of two short slots and ranks that are late stop no reduction") {
    for_each_reduction([](const Reduction& reduction) {
        for (const std::size_t world : kWorlds) {
            INFO("world size " << world);
            Case test{reduction, world, {{900, 601}, {16, 884}, {0, 16}}, 1'501};
            test.shape = {256, 2};
            CHECK(count_wrong(test) == all(world, 0));
            CHECK(count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
                      return tests::count_wrong_collectives(exchange, rank, world);
                  }) == all(world, 0));
        }
    });
}

TEST_CASE("what is sharded is summed and updated by one rank each, and sent to all") {
    const auto shard = [](const Reduction& reduction, std::size_t world) {
        Case test{reduction, world, {{6000, 4001}, {16, 5984}, {0, 16}}, 10'001};
        test.update = core::UpdateKind::kSharded;
        return test;
    };
    std::size_t sharded = 0;
    for_each_reduction([&](const Reduction& reduction) {
        if (!reduction.traits.can_shard) return;
        ++sharded;
        for (const std::size_t world : kWorlds) {
            INFO("world size " << world);
            Case test = shard(reduction, world);
            CHECK(count_wrong(test) == all(world, 0));
            test.shape = {256, 2};
            test.first_count = std::numeric_limits<std::uint32_t>::max() - 4;
            CHECK(count_wrong(test) == all(world, 0));
            const auto updated = count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t) {
                std::size_t size = 0;
                for (const Range& range : exchange.update_ranges()) size += range.size;
                return size;
            });
            std::size_t sum = 0;
            for (const std::string& size : updated) sum += std::stoul(size);
            CHECK(sum == test.size);
        }
        const auto error = tests::error_of([&] {
            Case test = shard(reduction, 2);
            test.timeout_seconds = 0.2;
            std::vector<float> parameters(test.size);
            count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
                exchange.begin_step();
                exchange.reduce();
                if (rank == 1) {
                    for (;;) pause();
                }
                exchange.publish(parameters);
                return 0;
            });
        });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kStalled);
    });
    CHECK(sharded == 2);
}

TEST_CASE("an unknown reduction is refused with the names of all") {
    const auto error =
        tests::error_of([] { core::find_reduction(multiproc::reductions(), "none such"); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    for_each_reduction([&](const Reduction& reduction) {
        CHECK(tests::holds(error->what(), std::string(reduction.traits.name)));
    });
}
