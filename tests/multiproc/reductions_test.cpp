// Every reduction of the table between forked processes: its sums. What a child finds wrong comes
// back as its report.
#include "multiproc/reductions.hpp"

#include <unistd.h>

#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "core/exchange/sum_chunk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process_ranks.hpp"
#include "tests/support/sums.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using core::ChannelExchange;
using core::Range;
using multiproc::Reduction;
using multiproc::SharedSegment;
using tests::all;
using tests::Case;
using tests::count_in_ranks;
using tests::count_wrong;
using tests::for_each_reduction;
using tests::kThreeBuckets;
using tests::kWorlds;

namespace {

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
