// The report's sections, in their order. Each says what its figures mean, and is left out, or in
// parts, where nothing was measured.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "experiments/analysis/analysis.hpp"
#include "experiments/report/document.hpp"

namespace dp::experiments::report {

/// What sections are written from.
struct Material {
    const dp::experiments::analysis::Analysis& analysis;
    std::span<const Figure> figures;

    /// Adds the figure of that name, if it was drawn.
    void add_figure(Document& document, std::string_view name) const {
        const auto found = std::ranges::find(figures, name, &Figure::name);
        if (found != figures.end()) document.add(*found);
    }
};

inline constexpr const char* kOversubscribedMark =
    "oversubscribed: more workers than usable CPUs; such rows show behaviour, not scaling";

void add_objective(Document& document, const Material& material);
void add_advice(Document& document, const Material& material);
void add_environment(Document& document, const Material& material);
void add_method(Document& document, const Material& material);
void add_correctness(Document& document, const Material& material);
void add_results(Document& document, const Material& material);
/// A table of the section before it.
void add_epochs(Document& document, const Material& material);
void add_strategies(Document& document, const Material& material);
void add_designs(Document& document, const Material& material);
void add_comparisons(Document& document, const Material& material);
void add_metrics(Document& document, const Material& material);
/// A table of the section before it.
void add_one_and_several(Document& document, const Material& material);
void add_scaling(Document& document, const Material& material);
void add_breakdown(Document& document, const Material& material);
void add_steps(Document& document, const Material& material);
void add_models(Document& document, const Material& material);
void add_learning(Document& document, const Material& material);
void add_memory(Document& document, const Material& material);
void add_scheduling(Document& document, const Material& material);
void add_threats(Document& document, const Material& material);
void add_reproduction(Document& document, const Material& material);

}  // namespace dp::experiments::report
