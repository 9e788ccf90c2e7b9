#include "multiproc/reductions.hpp"

#include "core/base/error.hpp"
#include "multiproc/direct_exchange.hpp"
#include "multiproc/ring_exchange.hpp"
#include "multiproc/slot_ring_exchange.hpp"

namespace dp::multiproc {
namespace {

template <typename Exchange>
std::unique_ptr<SegmentExchange> make(ExchangeSetup setup) {
    return std::make_unique<Exchange>(std::move(setup));
}

constexpr std::array kReductions{
    Reduction{"direct", "a rank sums its chunk of all ranks and writes it to all",
              make<DirectExchange>},
    Reduction{"ring", "a rank reads its left neighbour's chunks where they lie",
              make<RingExchange>},
    Reduction{"slot-ring", "messages through slots between neighbours; gradients stay private",
              make<SlotRingExchange>},
};

}  // namespace

std::span<const Reduction> reductions() { return kReductions; }

const Reduction& find_reduction(std::string_view name) {
    if (name.empty()) return kReductions.front();
    std::string names;
    for (const Reduction& reduction : kReductions) {
        if (reduction.name == name) return reduction;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", reduction.name);
    }
    throw core::Error(core::ExitCode::kUsage, "'{}' is no reduction of mode procs: choose from {}",
                      name, names);
}

}  // namespace dp::multiproc
