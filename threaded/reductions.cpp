#include "threaded/reductions.hpp"

#include <array>

#include "threaded/atomic_exchange.hpp"
#include "threaded/critical_blocks_exchange.hpp"
#include "threaded/critical_exchange.hpp"
#include "threaded/in_place_exchange.hpp"
#include "threaded/in_place_tree_exchange.hpp"
#include "threaded/master_exchange.hpp"
#include "threaded/omp_for_exchange.hpp"
#include "threaded/omp_reduction_exchange.hpp"
#include "threaded/tree_exchange.hpp"

namespace dp::threaded {
namespace {

template <typename Made>
constexpr Reduction kRow = core::reduction_row<Made, TeamExchange, TeamSetup>();

constexpr std::array kReductions{
    kRow<InPlaceExchange>,        kRow<InPlaceTreeExchange>,  kRow<OmpForExchange>,
    kRow<TreeExchange>,           kRow<MasterExchange>,       kRow<CriticalExchange>,
    kRow<CriticalBlocksExchange>, kRow<OmpReductionExchange>, kRow<AtomicExchange>,
};

}  // namespace

std::span<const Reduction> reductions() { return kReductions; }

}  // namespace dp::threaded
