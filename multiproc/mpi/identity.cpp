#include "multiproc/mpi/identity.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/base/error.hpp"
#include "core/data/digest.hpp"
#include "core/nn/onednn_info.hpp"

namespace dp::multiproc {
namespace {

using core::Error;
using core::ExitCode;

template <std::size_t Size>
void store(std::array<char, Size>& field, std::string_view text) {
    field = {};
    std::ranges::copy(text.substr(0, Size - 1), field.begin());
}

template <std::size_t Size>
void require_equal(std::span<const RankIdentity> all, std::array<char, Size> RankIdentity::*field,
                   const char* what, const char* remedy) {
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        if (all[rank].*field == all[0].*field) continue;
        throw Error(ExitCode::kUsage, "worker 0 on {} has {} {}, and worker {} on {} has {}: {}",
                    all[0].host.data(), what, (all[0].*field).data(), rank, all[rank].host.data(),
                    (all[rank].*field).data(), remedy);
    }
}

}  // namespace

std::string machine_start() {
    std::string id = "unknown";
    std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
    // Containers may have clocks of their own, each a time namespace.
    std::error_code error;
    return id + " " + std::filesystem::read_symlink("/proc/self/ns/time", error).string();
}

RankIdentity own_identity(const core::Job& job) {
    RankIdentity own;
    std::array<char, 64> host{};
    gethostname(host.data(), host.size() - 1);
    store(own.host, host.data());
    store(own.program, fmt::format("{}, g++ {}", DP_VERSION, __VERSION__));
    store(own.instruction_set, core::onednn_info().isa);
    store(own.clock, machine_start());
    if (job.data != nullptr) own.data = core::digest(*job.data);
    return own;
}

std::vector<RankIdentity> gather_identities(const RankIdentity& own, MpiWorld& world) {
    std::vector<RankIdentity> all(world.world_size());
    world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(all)));
    return all;
}

void check_same(std::span<const RankIdentity> all) {
    require_equal(all, &RankIdentity::program, "dp_compare",
                  "build the same version with the same compiler for all machines");
    require_equal(all, &RankIdentity::instruction_set, "the instruction set",
                  "choose machines of one kind, or set ONEDNN_MAX_CPU_ISA on all to the smaller");
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        if (all[rank].data == all[0].data) continue;
        throw Error(ExitCode::kVerification,
                    "worker 0 on {} has other data (digest {:016x}) than worker {} on {} "
                    "({:016x}): copy one data set to all machines, and give all the same options",
                    all[0].host.data(), all[0].data, rank, all[rank].host.data(), all[rank].data);
    }
}

bool share_clock(std::span<const RankIdentity> all) {
    return std::ranges::all_of(
        all, [&](const RankIdentity& rank) { return rank.clock == all[0].clock; });
}

}  // namespace dp::multiproc
