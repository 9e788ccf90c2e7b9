// `dp_compare diff A B`: compares the results of two folders and, if asked, fails on a regression.
#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "experiments/diff/comparison.hpp"

namespace dp::experiments::diff {

struct Request {
    std::vector<std::filesystem::path> before;  // folders; several are samples of their side
    std::vector<std::filesystem::path> after;
    Terms terms;                 // its design is diff's to choose
    std::filesystem::path json;  // empty: no file
};

/// One side: the runs of all `folders`.
ResultsFolder read_side(const std::vector<std::filesystem::path>& folders);

/// What --json writes, as experiments/schemas/diff.schema.json has it.
nlohmann::ordered_json to_json(const ResultsFolder& before, const ResultsFolder& after,
                               const FolderComparison& comparison);

/// Prints the comparison on stdout, and writes request.json. Then, with fail_above, throws
/// Error(kRegression) that names what is slower, Error(kNotJudged) when a configuration has too few
/// samples to show that it is, or none can be judged. Throws Error(kUsage) when the folders
/// have nothing in common, Error(kData) for a file that cannot be read or written.
void run_diff(const Request& request);
/// The same with the design that request.terms names.
void compare_and_tell(const Request& request);

}  // namespace dp::experiments::diff
