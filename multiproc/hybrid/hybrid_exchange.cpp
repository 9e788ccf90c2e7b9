#include "multiproc/hybrid/hybrid_exchange.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "core/exchange/halving_doubling_exchange.hpp"
#include "core/exchange/message_ring_exchange.hpp"
#include "core/exchange/reduction_table.hpp"
#include "threaded/in_place_tree_exchange.hpp"

namespace dp::multiproc {
namespace {

/// Costs are those of `outer` with one thread in a process, which is the most: with T threads a
/// rank reads (T-1)/T of a byte from its team and sends 2 (N/T - 1)/N to other processes.
template <typename Inner>
constexpr HybridReduction row_of(const core::ExchangeTraits& outer, std::string_view description,
                                 core::SumOrder order) {
    return {{.name = outer.name,
             .former_name = "",
             .description = description,
             .update = core::UpdateKind::kSliced,
             .order = order,
             .meets_at_publish = true,
             .sent_per_byte = outer.sent_per_byte},
            [](threaded::TeamSetup team) -> std::unique_ptr<threaded::InPlaceExchange> {
                return std::make_unique<Inner>(team);
            }};
}

constexpr std::array kReductions{
    row_of<threaded::InPlaceExchange>(
        core::MessageRingExchange::kTraits,
        "in place within a process; each slice by messages around a ring of processes",
        core::SumOrder::kGrouped),
    row_of<threaded::InPlaceTreeExchange>(
        core::HalvingDoublingExchange::kTraits,
        "in place and in pairs within a process; each slice by recursive halving and doubling "
        "between processes: one tree over all ranks, P and T being powers of two",
        core::SumOrder::kTree),
};

}  // namespace

const core::MessageReduction& HybridReduction::outer() const {
    return core::find_reduction(core::message_reductions(), traits.name);
}

std::span<const HybridReduction> hybrid_reductions() { return kReductions; }

std::unique_ptr<core::HierarchicalExchange> make_hybrid_exchange(const HybridReduction& reduction,
                                                                 HybridSetup setup) {
    const std::span<float> gradients = setup.team.gradients;
    auto inner = reduction.make_inner(setup.team);
    const auto slices = inner->update_ranges();
    auto outer =
        reduction.outer().make(core::ChannelSetup{.channels = std::move(setup.channels),
                                                  .buckets = {slices.begin(), slices.end()},
                                                  .size = gradients.size(),
                                                  .limits = setup.limits,
                                                  .shared_gradients = gradients});
    return std::make_unique<core::HierarchicalExchange>(
        reduction.traits, setup.processes, setup.threads, std::move(inner), std::move(outer));
}

}  // namespace dp::multiproc
