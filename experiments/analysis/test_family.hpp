// Paired tests that are judged together: Holm's correction over all of them.
#pragma once

#include <cstddef>
#include <vector>

#include "experiments/statistics/multiple_tests.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::analysis {

/// Differences are added, then judged, then asked for by their place.
class TestFamily {
public:
    /// Returns the place of `differences`, of which there may be too few to judge.
    std::size_t add(const std::vector<double>& differences) {
        const auto test =
            differences.empty() ? statistics::PairedTest{} : statistics::paired_test(differences);
        tests_.push_back(test);
        if (test.pairs >= statistics::kFewestPairs) p_values_.push_back(test.p_value);
        return tests_.size() - 1;
    }
    void judge() {
        const std::vector<double> adjusted = statistics::holm_adjusted(p_values_);
        std::size_t next = 0;
        for (std::size_t i = 0; i < tests_.size(); ++i) {
            adjusted_.push_back(judged(i) ? adjusted.at(next++) : 1.0);
        }
    }
    [[nodiscard]] bool judged(std::size_t place) const {
        return tests_.at(place).pairs >= statistics::kFewestPairs;
    }
    /// That the differences are above 0 in the mean.
    [[nodiscard]] bool shown(std::size_t place) const {
        return adjusted_.at(place) < statistics::kLevel && tests_.at(place).mean > 0.0;
    }

private:
    std::vector<statistics::PairedTest> tests_;
    std::vector<double> p_values_, adjusted_;
};

}  // namespace dp::experiments::analysis
