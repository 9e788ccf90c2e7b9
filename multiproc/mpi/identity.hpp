// What has to be the same on all ranks of a run, which may be on different machines: compared
// before the first step.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/train/job.hpp"
#include "multiproc/mpi/mpi_world.hpp"

namespace dp::multiproc {

/// Texts end with a zero and are cut where they are too long.
struct RankIdentity {
    std::array<char, 64> host{};
    std::array<char, 64> program{};          // version and compiler
    std::array<char, 32> instruction_set{};  // that oneDNN uses
    std::array<char, 64> clock{};            // machine_start(): equal where clocks are one
    std::uint64_t data = 0;                  // core::digest
};
static_assert(std::is_trivially_copyable_v<RankIdentity>);

/// This rank's. Call in a worker: it asks oneDNN.
RankIdentity own_identity(const core::Job& job);

/// The identities of all ranks, by rank.
std::vector<RankIdentity> gather_identities(const RankIdentity& own, MpiWorld& world);

/// Throws the first of: Error(kUsage) where programs or instruction sets differ from rank 0's,
/// Error(kVerification) where the data do. It names both ranks and what they have.
void check_same(std::span<const RankIdentity> all);

/// Whether the steady clocks of all ranks are one.
bool share_clock(std::span<const RankIdentity> all);

/// What tells this machine's steady clock from others': when it began, and its time namespace.
std::string machine_start();

}  // namespace dp::multiproc
