// The table, and how each row loads. It owns nothing: a loaded Dataset is the caller's.
#include "core/data/dataset_table.hpp"

#include <array>
#include <string>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/data/cifar10.hpp"
#include "core/data/idx.hpp"
#include "core/data/synthetic.hpp"

namespace dp::core {
namespace {

void require_folder(const std::filesystem::path& data_dir, std::string_view name) {
    if (data_dir.empty()) {
        throw Error(ExitCode::kData,
                    "no folder given for {}: pass --data-dir, or run experiments/get_data.sh {} "
                    "data and pass --data-dir data",
                    name, name);
    }
}

Dataset synthetic_from(const std::filesystem::path& /*data_dir*/, std::uint64_t seed) {
    return make_synthetic(seed);
}

Dataset cifar10_from(const std::filesystem::path& data_dir, std::uint64_t /*seed*/) {
    require_folder(data_dir, "cifar10");
    return load_cifar10(data_dir);
}

Dataset mnist_from(const std::filesystem::path& data_dir, std::uint64_t /*seed*/) {
    require_folder(data_dir, kMnist.name);
    return load_idx(data_dir, kMnist);
}

Dataset fashion_mnist_from(const std::filesystem::path& data_dir, std::uint64_t /*seed*/) {
    return load_idx(data_dir.empty() ? std::filesystem::path(kFashionMnistFolder) : data_dir,
                    kFashionMnist);
}

constexpr std::array<DatasetEntry, 4> kDatasets = {{
    {"synthetic", "12,000 textured shapes (3, 32, 32), made from the seed", "cifar_cnn",
     synthetic_from},
    {"cifar10", "CIFAR-10, binary version: 60,000 photographs (3, 32, 32)", "cifar_cnn",
     cifar10_from},
    {"mnist", "MNIST, IDX files: 70,000 handwritten digits (1, 28, 28)", "mnist_cnn", mnist_from},
    {"fashion-mnist", "Fashion-MNIST, IDX files: 70,000 pieces of clothing (1, 28, 28)",
     "mnist_cnn", fashion_mnist_from},
}};

}  // namespace

std::span<const DatasetEntry> datasets() { return kDatasets; }

const DatasetEntry& find_dataset(std::string_view name) {
    return find_named(kDatasets, name, "unknown data set '{}'; choose one of: {}");
}

Dataset load_dataset(std::string_view name, const std::filesystem::path& data_dir,
                     std::uint64_t seed) {
    return find_dataset(name).load(data_dir, seed);
}

}  // namespace dp::core
