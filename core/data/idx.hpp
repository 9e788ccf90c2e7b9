// MNIST and Fashion-MNIST: IDX files, plain or gzip. The returned Dataset owns its pixels.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/data/dataset.hpp"

namespace dp::core {

/// A data set kept in four IDX files of MNIST's names and shape (1, 28, 28).
struct IdxFamily {
    std::string_view name;  // also the subfolder that experiments/get_data.sh makes
    float mean;             // of pixel values in [0, 1]
    float deviation;
    std::string_view next_step;  // the advice that ends an error message
};

inline constexpr IdxFamily kMnist = {"mnist", 0.1307F, 0.3081F,
                                     "run experiments/get_data.sh mnist, or pass --data-dir"};
inline constexpr IdxFamily kFashionMnist = {
    "fashion-mnist", 0.2860F, 0.3530F,
    "install Debian's package dataset-fashion-mnist, or pass --data-dir"};

/// The folder in which Debian's package dataset-fashion-mnist puts the files.
inline constexpr std::string_view kFashionMnistFolder = "/usr/share/datasets/fashion-mnist";

/// Reads the set in `folder`, or in its subfolder of the family's name:
/// {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, each plain or with `.gz`.
/// Throws Error (kData) for a file that is missing, unreadable, no IDX file of bytes, of another
/// image size, cut short, too long or damaged gzip; for a label above 9; for labels that are not
/// one an image. Memory grows with the bytes read, never with what a header claims. Safe from any
/// thread.
[[nodiscard]] Dataset load_idx(const std::filesystem::path& folder, const IdxFamily& family);

}  // namespace dp::core
