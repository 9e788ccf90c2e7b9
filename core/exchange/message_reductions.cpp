#include "core/exchange/message_reductions.hpp"

#include <array>
#include <utility>

#include "core/exchange/halving_doubling_exchange.hpp"
#include "core/exchange/message_ring_exchange.hpp"
#include "core/exchange/recursive_doubling_exchange.hpp"
#include "core/exchange/server_exchange.hpp"
#include "core/exchange/tree_exchange.hpp"

namespace dp::core {
namespace {

template <typename Made>
constexpr MessageReduction kRow{Made::kTraits, Made::kReceivers,
                                [](ChannelSetup setup) -> std::unique_ptr<ChannelExchange> {
                                    return std::make_unique<Made>(std::move(setup));
                                }};

/// The row of one that is a list of messages.
template <typename Listed>
constexpr MessageReduction kListed{Listed::kTraits,
                                   [](std::size_t rank, std::size_t world_size) {
                                       return receivers_of(Listed::make_schedule, rank, world_size);
                                   },
                                   [](ChannelSetup setup) -> std::unique_ptr<ChannelExchange> {
                                       return std::make_unique<ScheduledExchange>(
                                           std::move(setup), Listed::kTraits,
                                           Listed::make_schedule);
                                   }};

constexpr std::array kMessageReductions{kRow<MessageRingExchange>, kListed<HalvingDoublingExchange>,
                                        kListed<RecursiveDoublingExchange>, kListed<TreeExchange>,
                                        kRow<ServerExchange>};

}  // namespace

std::span<const MessageReduction> message_reductions() { return kMessageReductions; }

}  // namespace dp::core
