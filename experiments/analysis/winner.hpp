// Which design of one N is the fastest, which others are shown to be slower, and in which part of a
// step they lose.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {

struct Analysis;
struct Configuration;

/// What a step of a rival takes beyond one of the winner's in a part of it, pair by pair of runs.
struct LostPart {
    std::string_view name;
    statistics::Summary seconds;
    bool shown = false;  // longer, by Holm's correction over all parts of all rivals
};

struct Rival {
    std::string design;
    statistics::Summary slower;        // share of the winner's images/s that it lacks, pair by pair
    bool judged = false;               // there are pairs enough
    bool shown = false;                // that it is slower, as Winner says
    statistics::Summary step_seconds;  // that its step takes beyond the winner's
    std::array<LostPart, 4> parts;     // computing, transfer, wait, update

    /// The longest part of those shown; null where there is none.
    [[nodiscard]] const LostPart* reason() const;
};

/// The most images/s by median decide who is held against all others. Since that is chosen by the
/// data, Holm's correction is over all pairs of designs of every N, not only those with the winner.
struct Winner {
    const Configuration* configuration = nullptr;
    std::vector<Rival> rivals;  // in the table's order
};

/// One for each N above 1 that has two designs or more with a CPU for each worker, of which runs
/// compare and exchange gradients.
std::vector<Winner> find_winners(const Analysis& analysis);

}  // namespace dp::experiments::analysis
