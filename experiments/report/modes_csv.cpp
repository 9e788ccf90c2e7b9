// The look of every design in the plots.
#include <algorithm>

#include "experiments/modes.hpp"
#include "experiments/report/plot_data.hpp"
#include "experiments/text/csv.hpp"

namespace dp::experiments::report {
namespace {

/// The colour of a mode's design number `place`: its own, then darker and lighter ones in turn.
std::uint32_t shade(std::uint32_t color, std::size_t place) {
    const double towards = place % 2 == 1 ? 0.0 : 255.0;
    const double share = std::min(0.8, 0.22 * static_cast<double>((place + 1) / 2));
    std::uint32_t shaded = 0;
    for (const unsigned shift : {16U, 8U, 0U}) {
        const double part = static_cast<double>((color >> shift) & 0xFFU);
        shaded |= static_cast<std::uint32_t>(part + share * (towards - part)) << shift;
    }
    return shaded;
}

/// The point of a mode's design number `place`: its own, then the others of gnuplot's solid ones, 5
/// to 15, in turn.
std::size_t point_of(const Mode& mode, std::size_t place) {
    const auto own = static_cast<std::size_t>(mode.mark);
    return place == 0 ? own : 5 + (own + 2 * place - 5) % 12;
}

}  // namespace

std::string modes_csv() {
    Csv csv({"mode", "color", "mark"});
    for (const Mode& mode : modes()) {
        core::RunConfig config;
        config.mode = mode.name;
        config.workers = 2;  // of one worker, some designs are the same
        std::size_t place = 0;
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            config.reduction = reduction.name;
            csv.add(design_of(config), shade(mode.color, place), point_of(mode, place));
            ++place;
        }
    }
    return csv.text();
}

}  // namespace dp::experiments::report
