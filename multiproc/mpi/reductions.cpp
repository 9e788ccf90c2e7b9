#include "multiproc/mpi/reductions.hpp"

#include <utility>

#include "multiproc/mpi/library_exchange.hpp"

namespace dp::multiproc {
namespace {

std::vector<MpiReduction> all_reductions() {
    std::vector<MpiReduction> all;
    for (const core::MessageReduction& row : core::message_reductions()) {
        all.push_back({row.traits, &row});
    }
    all.push_back({LibraryExchange::kTraits, nullptr});
    return all;
}

}  // namespace

std::unique_ptr<core::ChannelExchange> MpiReduction::make(MpiWorld& world,
                                                          std::vector<core::Range> buckets,
                                                          std::size_t size,
                                                          const core::WaitLimits& limits,
                                                          core::UpdateKind update) const {
    core::ChannelSetup setup{
        .channels = world.make_channels(messages == nullptr ? nullptr : messages->receivers,
                                        /*place=*/0),
        .buckets = std::move(buckets),
        .size = size,
        .limits = limits,
        .update = update};
    if (messages != nullptr) return messages->make(std::move(setup));
    return std::make_unique<LibraryExchange>(std::move(setup), world);
}

std::span<const MpiReduction> mpi_reductions() {
    static const std::vector<MpiReduction> kAll = all_reductions();
    return kAll;
}

}  // namespace dp::multiproc
