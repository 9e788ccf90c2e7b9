// Checkpoints: safetensors files with the names and layouts of PyTorch's state_dict, so that
// PyTorch loads them as they are. A StateDict owns its tensors, in PyTorch's plain layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/nn/tensor_layout.hpp"

namespace dp::core {

struct StateDict {
    std::vector<NamedTensor> tensors;  // parameters and running statistics
    // The value of every bnX.num_batches_tracked, which the file has and `tensors` has not.
    std::int64_t batches_tracked = 0;
    std::map<std::string, std::string> metadata;  // epoch, step, seed, configuration

    /// The tensor called `name`, or null.
    [[nodiscard]] const NamedTensor* find(std::string_view name) const;
};

/// Writes `state` to `file`, byte for byte as safetensors.torch.save_file writes the same tensors,
/// with a bnX.num_batches_tracked for each bnX.running_mean. Metadata is sorted by key; save_file
/// leaves its order open. DP_CHECKs that names are distinct and values fill their shapes.
/// Throws Error(kData) when the file cannot be written; a previous one is then intact.
void save_checkpoint(const std::filesystem::path& file, const StateDict& state);

/// Returns what `file` holds, in the order of its data. The file may be damaged or hostile: every
/// length, range and type is checked before it decides how much memory is taken, and an
/// Error(kData) names what is wrong: for a value that is not finite, or a running variance below 0,
/// its tensor and its index in row-major order, from 0. A file without num_batches_tracked, as
/// PyTorch before 0.4.1 wrote them, has batches_tracked 0.
[[nodiscard]] StateDict load_checkpoint(const std::filesystem::path& file);

/// Throws Error(kData) unless `state`, read from `file`, has exactly the tensors `parameters` and
/// `statistics` of the network `model`, in any order and with the same shapes.
void check_matches(const StateDict& state, std::span<const TensorRange> parameters,
                   std::span<const TensorRange> statistics, std::string_view model,
                   const std::filesystem::path& file);

}  // namespace dp::core
