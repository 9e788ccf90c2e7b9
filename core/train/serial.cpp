#include "core/train/serial.hpp"

#include <omp.h>

#include <algorithm>
#include <array>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/exchange/buckets.hpp"
#include "core/exchange/reduction_table.hpp"
#include "core/exchange/sum_chunk.hpp"
#include "core/exchange/sum_tree.hpp"
#include "core/train/bind_ranks.hpp"
#include "core/train/replica.hpp"
#include "core/train/worker.hpp"

namespace dp::core {
namespace {

constexpr ExchangeTraits traits_of(std::string_view name, std::string_view description,
                                   SumOrder order) {
    constexpr auto kNothing = [](double /*ranks*/) { return 0.0; };
    return {.name = name,
            .former_name = "",
            .description = description,
            .order = order,
            .overlaps = false,
            .sent_per_byte = kNothing};
}

/// Chunk by chunk in the ring's order, all of them into `out`.
void sum_ring(std::span<float* const> blocks, Range bucket, float* out) {
    for (std::size_t c = 0; c < blocks.size(); ++c) {
        sum_chunk(blocks, c, chunk_of(bucket, blocks.size(), c), out);
    }
}

/// Slice by slice as HierarchicalExchange does with a ring in either level.
void sum_groups(std::span<float* const> blocks, Range bucket, std::size_t group_size) {
    std::array<float*, 256> places{};  // a step allocates nothing
    DP_CHECK(blocks.size(), <=, places.size());
    const auto same_place = std::span(places).first(blocks.size() / group_size);
    for (std::size_t t = 0; t < group_size; ++t) {
        const Range slice = chunk_of(bucket, group_size, t);
        for (std::size_t g = 0; g < same_place.size(); ++g) {
            same_place[g] = blocks[g * group_size + t];
            sum_chunk(blocks.subspan(g * group_size, group_size), t, slice, same_place[g]);
        }
        sum_ring(same_place, slice, blocks[0]);
    }
}

constexpr std::array kReductions{
    SerialReduction{traits_of("none", "one worker has all gradients; it adds them as a ring does",
                              SumOrder::kRing),
                    [](std::span<float* const> blocks, Range bucket, std::size_t /*group_size*/) {
                        sum_ring(blocks, bucket, blocks[0]);
                    }},
    SerialReduction{traits_of("tree", "one worker has all gradients; it adds them as a tree does",
                              SumOrder::kTree),
                    [](std::span<float* const> blocks, Range bucket, std::size_t /*group_size*/) {
                        sum_tree(blocks, bucket, blocks[0]);
                    }},
    SerialReduction{traits_of("grouped",
                              "one worker has all gradients; it adds them group by group, as "
                              "processes of --threads-per-worker threads do",
                              SumOrder::kGrouped),
                    sum_groups},
};

constexpr std::array kIntraop{
    SerialReduction{traits_of("none", "one replica has all gradients", SumOrder::kUnordered)},
};

/// Of a single worker, which has summed the gradients of its ranks by itself: nothing is left to
/// exchange.
class NoExchange final : public GradientExchange {
public:
    NoExchange(const ExchangeTraits& traits, std::vector<Range> buckets,
               std::span<const float> gradients)
        : traits_(traits),
          buckets_(std::move(buckets)),
          gradients_(gradients),
          all_{0, gradients.size()} {}

    const ExchangeTraits& traits() const override { return traits_; }
    std::span<const Range> buckets() const override { return buckets_; }
    void begin_step() override {}
    void hand_over(std::size_t /*count*/) override {}
    void progress() override {}
    void finish(std::size_t /*count*/) override { ++stats_.calls; }

    std::span<const Range> update_ranges() const override { return {&all_, 1}; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    void publish(std::span<float> /*parameters*/) override {}
    void broadcast(std::span<float> /*values*/) override {}

    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
        DP_CHECK(mine.size(), ==, all.size());
        std::ranges::copy(mine, all.begin());
    }

    std::vector<std::string> gather(std::string_view mine) override { return {std::string(mine)}; }

    ExchangeStats stats() const override { return stats_; }

private:
    const ExchangeTraits& traits_;
    const std::vector<Range> buckets_;
    const std::span<const float> gradients_;
    const Range all_;
    ExchangeStats stats_;
};

/// Plays `ranks` ranks with `threads` threads.
RunResult run_alone(const Job& job, const SerialReduction& reduction, std::size_t ranks,
                    std::size_t threads) {
    Replica replica(job, threads);
    PlayedRanks played(replica.layout, 0, ranks);
    played.fill(job, replica.layout);
    NoExchange exchange(reduction.traits, std::move(replica.buckets), played.gradients());

    const FloatBlock state = make_optimizer_state(job, exchange.update_ranges());
    WorkerBlocks blocks{replica.parameters.span(), state.span(), played.blocks(), ranks};
    blocks.sum_ranks = [&, group_size = job.config.threads_per_worker](
                           std::span<float* const> gradients, Range bucket) {
        reduction.sum(gradients, bucket, group_size);
    };
    return run_worker(job, replica.layout, blocks, exchange);
}

}  // namespace

std::span<const SerialReduction> serial_reductions() { return kReductions; }
std::span<const SerialReduction> intraop_reductions() { return kIntraop; }

RunResult run_serial(const Job& job) {
    bind_ranks(job, 0);
    return run_alone(job, find_reduction(serial_reductions(), job.config.reduction),
                     job.config.world_size(), 1);
}

RunResult run_intraop(const Job& job) {
    // All threads to all of their CPUs: OpenMP ends and starts threads between loops of different
    // lengths, and a new one begins where the first is.
    bind_ranks(job, 0, job.config.workers);
    const int threads = static_cast<int>(job.config.workers);
    std::size_t given = 0;
#pragma omp parallel num_threads(threads)
#pragma omp single
    given = static_cast<std::size_t>(omp_get_num_threads());
    if (given != job.config.workers) {
        throw Error(ExitCode::kResources,
                    "OpenMP gave {} threads of {}: raise OMP_THREAD_LIMIT and unset OMP_DYNAMIC, "
                    "or use a smaller -n",
                    given, job.config.workers);
    }
    return run_alone(job, kIntraop[0], 1, job.config.workers);
}

}  // namespace dp::core
