// The models fitted to a design's measurements, and what they say of N that were not measured.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/train/run_result.hpp"
#include "experiments/statistics/prediction.hpp"
#include "experiments/statistics/scaling.hpp"

namespace dp::experiments::analysis {

struct Configuration;

struct LawResult {
    statistics::Law law;
    statistics::Outcome<statistics::LawFit> fit;
};

struct ModeModels {
    std::string design;
    statistics::Outcome<statistics::Predictor> predictor;
    std::vector<LawResult> laws = {};
    std::vector<statistics::Prediction> predictions = {};  // of twice the largest N measured
};

/// One training step, mean over workers, epochs and steps. Hidden exchange time is part of the
/// transfer and not of backward; waiting for all to have updated (publish) counts as waiting.
/// Requires steps: CheckFailure.
statistics::StepParts step_parts(const core::RunResult& result);

/// Of one design's configurations, by N, of which those oversubscribed are left out. `weak`: each
/// worker's work was the same for every N, so that Gustafson's law applies and Amdahl's does not.
ModeModels fit_models(const std::string& design,
                      std::span<const Configuration* const> configurations, bool weak);

}  // namespace dp::experiments::analysis
