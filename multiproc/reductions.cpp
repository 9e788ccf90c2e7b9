#include "multiproc/reductions.hpp"

#include <array>

#include "multiproc/message_ring_exchange.hpp"
#include "multiproc/shared_direct_exchange.hpp"
#include "multiproc/shared_ring_exchange.hpp"

namespace dp::multiproc {
namespace {

template <typename Made>
constexpr Reduction kRow = core::reduction_row<Made, SegmentExchange, ExchangeSetup>();

constexpr std::array kReductions{kRow<MessageRingExchange>, kRow<SharedRingExchange>,
                                 kRow<SharedDirectExchange>};

}  // namespace

std::span<const Reduction> reductions() { return kReductions; }

}  // namespace dp::multiproc
