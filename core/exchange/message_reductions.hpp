// The reductions that pass messages, a row each, for every model whose ranks have channels.
#pragma once

#include <memory>
#include <span>

#include "core/exchange/channel_exchange.hpp"

namespace dp::core {

struct MessageReduction {
    ExchangeTraits traits;
    Receivers receivers = nullptr;  // null: the right neighbour alone
    std::unique_ptr<ChannelExchange> (*make)(ChannelSetup setup) = nullptr;
};

/// The first is the default.
std::span<const MessageReduction> message_reductions();

}  // namespace dp::core
