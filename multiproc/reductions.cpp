#include "multiproc/reductions.hpp"

#include <array>

#include "multiproc/direct_exchange.hpp"
#include "multiproc/ring_exchange.hpp"
#include "multiproc/slot_ring_exchange.hpp"

namespace dp::multiproc {
namespace {

template <typename Made>
constexpr Reduction kRow = core::reduction_row<Made, SegmentExchange, ExchangeSetup>();

constexpr std::array kReductions{kRow<DirectExchange>, kRow<RingExchange>, kRow<SlotRingExchange>};

}  // namespace

std::span<const Reduction> reductions() { return kReductions; }

}  // namespace dp::multiproc
