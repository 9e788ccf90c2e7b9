// One rank of MPI that checks every reduction over real messages, and the small collectives.
// rank_test.sh starts several. Says what is wrong and ends with 1 when something is.
#include <cstdio>
#include <exception>
#include <functional>

#include <fmt/format.h>

#include "multiproc/mpi/load_module.hpp"
#include "multiproc/mpi/reductions.hpp"
#include "tests/support/sums.hpp"

using namespace dp;
using core::Range;

namespace {

// Longer than the ring of slots that receives are posted for.
constexpr std::size_t kRounds = 3;
const core::WaitLimits kLimits{.timeout_seconds = 60.0};

using Check = std::function<std::size_t(core::ChannelExchange& exchange)>;

/// Returns check(exchange) of an exchange of its own, with the others' gone.
std::size_t check_alone(multiproc::MpiWorld& world, const multiproc::MpiReduction& reduction,
                        const std::vector<Range>& buckets, std::size_t size, const Check& check) {
    world.barrier();
    const auto exchange = reduction.make(world, buckets, size, kLimits);
    world.barrier();
    const std::size_t wrong = check(*exchange);
    world.barrier();
    if (wrong != 0) {
        fmt::print("{}: {} wrong values on rank {} of {}, {} buckets, {} floats\n",
                   reduction.traits.name, wrong, world.rank(), world.world_size(), buckets.size(),
                   size);
    }
    return wrong;
}

/// Sums as a step does, with work between layers or one bucket after another.
std::size_t count_wrong_steps(core::ChannelExchange& exchange, std::size_t rank,
                              std::size_t world) {
    std::size_t wrong = 0;
    std::vector<float> parameters(exchange.gradients().size());
    for (std::size_t round = 0; round < kRounds; ++round) {
        exchange.begin_step();
        tests::fill_integers(rank, round, exchange.gradients());
        if (round % 2 == 1) {
            exchange.reduce_one_by_one();
        } else {
            for (std::size_t count = 1; count <= exchange.buckets().size(); ++count) {
                exchange.hand_over(count);
                exchange.progress();
            }
            exchange.reduce();
        }
        wrong += tests::count_wrong_updates(exchange, world, round, parameters);
    }
    return wrong;
}

/// One bucket of `size` floats, or seven.
std::vector<Range> buckets_of(std::size_t size, std::size_t count) {
    std::vector<Range> buckets;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = size * i / count;
        buckets.insert(buckets.begin(), {begin, size * (i + 1) / count - begin});
    }
    return buckets;
}

std::size_t count_wrong(multiproc::MpiWorld& world) {
    const std::size_t rank = world.rank();
    const std::size_t size = world.world_size();
    std::size_t wrong = 0;
    for (const multiproc::MpiReduction& reduction : multiproc::mpi_reductions()) {
        for (const std::size_t floats : tests::sizes_for(size)) {
            for (const std::size_t buckets : {1UL, 7UL}) {
                wrong += check_alone(
                    world, reduction, buckets_of(floats, buckets), floats,
                    [&](auto& exchange) { return count_wrong_steps(exchange, rank, size); });
            }
        }
        wrong += check_alone(world, reduction, {{0, 100}}, 100, [&](auto& exchange) {
            return static_cast<std::size_t>(tests::count_wrong_collectives(exchange, rank, size));
        });
    }
    return wrong;
}

}  // namespace

int main() try {
    const auto world = multiproc::open_mpi_world();
    const std::size_t wrong = count_wrong(*world);
    world->close();
    return wrong == 0 ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    std::fflush(stdout);
    return 1;
}
