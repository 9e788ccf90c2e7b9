#include "multiproc/hybrid/hybrid_exchange.hpp"

#include <array>
#include <utility>

#include "core/exchange/message_ring_exchange.hpp"
#include "threaded/in_place_exchange.hpp"

namespace dp::multiproc {
namespace {

/// Costs with one thread in a process, which is the most: with T threads a rank reads (T-1)/T of a
/// byte from its team and sends 2 (N/T - 1)/N to other processes.
constexpr std::array kReductions{core::ExchangeTraits{
    .name = "message-ring",
    .former_name = "",
    .description = "in place within a process; each slice by messages around a ring of processes",
    .update = core::UpdateKind::kSliced,
    .order = core::SumOrder::kGrouped,
    .meets_at_publish = true,
    .signals = core::MessageRingExchange::kTraits.signals,
    .moved_per_byte = core::MessageRingExchange::kTraits.moved_per_byte,
    .sent_per_byte = core::MessageRingExchange::kTraits.sent_per_byte,
}};

}  // namespace

std::span<const core::ExchangeTraits> hybrid_reductions() { return kReductions; }

std::unique_ptr<core::HierarchicalExchange> make_hybrid_exchange(HybridSetup setup) {
    const std::span<float> gradients = setup.team.gradients;
    auto inner = std::make_unique<threaded::InPlaceExchange>(setup.team);
    const auto slices = inner->update_ranges();
    auto outer = std::make_unique<core::MessageRingExchange>(
        core::ChannelSetup{.channels = std::move(setup.channels),
                           .buckets = {slices.begin(), slices.end()},
                           .size = gradients.size(),
                           .limits = setup.limits,
                           .shared_gradients = gradients});
    return std::make_unique<core::HierarchicalExchange>(
        kReductions[0], setup.processes, setup.threads, std::move(inner), std::move(outer));
}

}  // namespace dp::multiproc
