// ceiling-n<N>-r<repetition>.json: what N workers could do on this machine if they had nothing to
// do with each other.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/machine/conditions.hpp"

namespace dp::experiments {

inline constexpr std::string_view kCeilingSchema = "dp_compare.ceiling/1";

/// N serial runs at once, each with the batches and steps of one of N workers.
struct Ceiling {
    std::size_t workers = 2;
    std::size_t repetition = 1;
    std::string started;  // utc_now() then
    std::size_t batch_size = 0;
    std::vector<double> images_per_second;  // of each serial run
    Conditions conditions;

    /// The sum.
    [[nodiscard]] double total_images_per_second() const;
};

/// `ceiling-n<N>-r<repetition>.json`.
std::string ceiling_file_name(std::size_t workers, std::size_t repetition);
bool is_ceiling_file(std::string_view name);

/// Whole or not at all. Throws Error(kData).
void write_ceiling(const std::filesystem::path& folder, const Ceiling& ceiling);

/// All of a folder, by N and repetition; often none. Throws Error(kData) that names the file and
/// what is wrong with it.
std::vector<Ceiling> read_ceilings(const std::filesystem::path& folder);

}  // namespace dp::experiments
