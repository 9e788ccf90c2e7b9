// `dp_compare diff A B`: compares the results of two folders and, if asked, fails on a regression.
#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "experiments/diff/comparison.hpp"

namespace dp::experiments::diff {

struct Request {
    std::filesystem::path before;
    std::filesystem::path after;
    std::optional<double> fail_above;  // share of images/s
    double alpha = 0.05;
    std::filesystem::path json;  // empty: no file
};

/// What --json writes, as experiments/schemas/diff.schema.json has it.
nlohmann::ordered_json to_json(const Request& request, const ResultsFolder& before,
                               const ResultsFolder& after, const FolderComparison& comparison);

/// Prints the comparison on stdout, and writes request.json. Then, with fail_above, throws
/// Error(kRegression) that names what is slower, Error(kNotJudged) when a configuration has too few
/// repetitions to show that it is, or none can be judged. Throws Error(kUsage) when the folders
/// have nothing in common, Error(kData) for a file that cannot be read or written.
void run_diff(const Request& request);

}  // namespace dp::experiments::diff
