// The models fitted to a mode's measurements, and what they say of N that were not measured.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "experiments/allreduce/table.hpp"
#include "experiments/statistics/exchange_model.hpp"
#include "experiments/statistics/isoefficiency.hpp"
#include "experiments/statistics/prediction.hpp"
#include "experiments/statistics/scaling.hpp"

namespace dp::experiments::analysis {

struct Configuration;

struct LawResult {
    statistics::Law law;
    statistics::Outcome<statistics::LawFit> fit;
};

/// The least batch per worker that would hold the efficiency at kTargetEfficiency.
struct IsoPoint {
    std::size_t workers = 1;
    bool measured = false;  // this N was; else it rests on an extrapolation
    statistics::Outcome<statistics::Isoefficiency> batch;
};

inline constexpr double kTargetEfficiency = 0.8;

struct ModeModels {
    std::string design;
    statistics::Outcome<statistics::ExchangeModel> exchange;
    statistics::Outcome<statistics::Predictor> predictor;
    std::vector<LawResult> laws = {};
    std::vector<statistics::Prediction> predictions = {};  // of N beyond the measured ones
    std::vector<IsoPoint> isoefficiency = {};
    std::vector<statistics::MeasuredPoint> points = {};  // that predictions are fitted to, by N
    std::string reduction = {};                          // theirs
    double gradient_bytes = 0.0;
};

/// Of one mode's configurations with training, by N, of which those oversubscribed are left out.
/// `weak`: each worker's work was the same for every N, so that Gustafson's law applies and
/// Amdahl's does not.
ModeModels fit_models(const std::string& mode, std::span<const Configuration* const> configurations,
                      bool weak, std::span<const allreduce::Row> rows);

}  // namespace dp::experiments::analysis
