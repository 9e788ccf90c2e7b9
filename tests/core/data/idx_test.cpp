// The IDX reader and the data set table on small files written here; every test owns its folder.
#include "core/data/idx.hpp"

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/data/dataset_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

namespace {

using dp::core::Dataset;
using dp::core::kFashionMnist;
using dp::core::kMnist;
using dp::core::load_idx;
using dp::tests::Bytes;
using dp::tests::data_error_of;
using dp::tests::holds;
using dp::tests::TemporaryFolder;
using dp::tests::write_file;

constexpr std::size_t kTrainCount = 5;
constexpr std::size_t kTestCount = 3;
constexpr const char* kTrainImages = "train-images-idx3-ubyte";
constexpr const char* kTrainLabels = "train-labels-idx1-ubyte";

void append_u32(Bytes& bytes, std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) {
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

std::uint8_t pixel_of(std::size_t image, std::size_t position) {
    return static_cast<std::uint8_t>(50 * image + position + position / 256);
}

Bytes images_file(std::size_t count) {
    Bytes bytes;
    append_u32(bytes, 0x803);
    append_u32(bytes, static_cast<std::uint32_t>(count));
    append_u32(bytes, 28);
    append_u32(bytes, 28);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t p = 0; p < 784; ++p) bytes.push_back(pixel_of(i, p));
    }
    return bytes;
}

Bytes labels_file(std::size_t count) {
    Bytes bytes;
    append_u32(bytes, 0x801);
    append_u32(bytes, static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(9 - i));
    return bytes;
}

void write_gzip(const std::filesystem::path& path, const Bytes& bytes) {
    const gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
}

void write_set(const std::filesystem::path& folder) {
    write_file(folder / kTrainImages, images_file(kTrainCount));
    write_file(folder / kTrainLabels, labels_file(kTrainCount));
    write_file(folder / "t10k-images-idx3-ubyte", images_file(kTestCount));
    write_file(folder / "t10k-labels-idx1-ubyte", labels_file(kTestCount));
}

void check_images(const dp::core::ImageSet& set, std::size_t count) {
    REQUIRE(set.shape == dp::core::ImageShape{1, 28, 28});
    REQUIRE(set.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
        REQUIRE(set.labels[i] == 9 - i);
        for (std::size_t p = 0; p < 784; ++p) REQUIRE(set.image(i)[p] == pixel_of(i, p));
    }
}

std::string error_in(const std::filesystem::path& folder) {
    return data_error_of([&] { static_cast<void>(load_idx(folder, kMnist)); });
}

// The error after `bytes` replace the file of `name` in an otherwise good set.
std::string error_with(const char* name, const Bytes& bytes) {
    const TemporaryFolder folder;
    write_set(folder.path());
    write_file(folder.path() / name, bytes);
    const std::string message = error_in(folder.path());
    REQUIRE(holds(message, (folder.path() / name).string()));
    REQUIRE(holds(message, kMnist.next_step.data()));
    return message;
}

}  // namespace

TEST_CASE("plain and gzip IDX files hold the same set", "[data]") {
    const TemporaryFolder folder;
    write_set(folder.path());
    write_gzip(folder.path() / "train-images-idx3-ubyte.gz", images_file(kTrainCount));
    const bool zipped = GENERATE(false, true);
    if (zipped) std::filesystem::remove(folder.path() / kTrainImages);

    const Dataset data = load_idx(folder.path(), kMnist);
    REQUIRE(data.name == "mnist");
    REQUIRE(data.source == folder.path().string());
    check_images(data.train, kTrainCount);
    check_images(data.test, kTestCount);
    REQUIRE(data.mean == std::vector<float>{0.1307F});
    REQUIRE(data.deviation == std::vector<float>{0.3081F});
}

TEST_CASE("the folder that holds a folder of the family's name is as good", "[data]") {
    const TemporaryFolder folder;
    const auto nested = folder.path() / "fashion-mnist";
    std::filesystem::create_directory(nested);
    write_set(nested);
    const Dataset data = load_idx(folder.path(), kFashionMnist);
    REQUIRE(data.source == nested.string());
    REQUIRE(data.mean == std::vector<float>{0.2860F});
    REQUIRE(data.deviation == std::vector<float>{0.3530F});
}

TEST_CASE("a missing IDX folder or file is named with the next step", "[data]") {
    REQUIRE(holds(error_in("/nowhere/at/all"), "'/nowhere/at/all' is not a folder; run"));
    const std::string fashion =
        data_error_of([] { static_cast<void>(load_idx("/nowhere/at/all", kFashionMnist)); });
    REQUIRE(holds(fashion, "install Debian's package dataset-fashion-mnist, or pass --data-dir"));

    const TemporaryFolder folder;
    write_set(folder.path());
    std::filesystem::remove(folder.path() / "t10k-labels-idx1-ubyte");
    REQUIRE(holds(error_in(folder.path()),
                  "has neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz; run "
                  "experiments/get_data.sh mnist"));
}

TEST_CASE("a wrong IDX header is named with offset, found and expected", "[data]") {
    Bytes bytes = images_file(kTrainCount);
    bytes[3] = 1;
    REQUIRE(holds(error_with(kTrainImages, bytes),
                  "magic number at byte 0 is 0x00000801 (2049), expected 0x00000803 (2051)"));
    bytes = labels_file(kTrainCount);
    bytes[2] = 9;
    REQUIRE(holds(error_with(kTrainLabels, bytes), "magic number at byte 0 is 0x00000901"));
    bytes = images_file(kTrainCount);
    bytes[11] = 32;
    REQUIRE(
        holds(error_with(kTrainImages, bytes), "height at byte 8 is 0x00000020 (32), expected"));
    bytes = images_file(kTrainCount);
    bytes[15] = 27;
    REQUIRE(
        holds(error_with(kTrainImages, bytes), "width at byte 12 is 0x0000001b (27), expected"));
}

TEST_CASE("counts that are zero, absurd or unequal are refused", "[data]") {
    REQUIRE(holds(error_with(kTrainLabels, labels_file(0)),
                  "count at byte 4 is 0, expected 1 to 1000000"));
    Bytes bytes = images_file(kTrainCount);
    for (const std::size_t at : {4, 5, 6, 7}) bytes[at] = 0xFF;
    REQUIRE(holds(error_with(kTrainImages, bytes),
                  "count at byte 4 is 4294967295, expected 1 to 1000000"));
    REQUIRE(holds(error_with(kTrainImages, images_file(kTrainCount - 1)),
                  "count at byte 4 is 4 images, but train-labels-idx1-ubyte has 5 labels"));
}

TEST_CASE("an IDX file that ends early or late is refused with the offset", "[data]") {
    Bytes bytes = images_file(kTrainCount);
    bytes.pop_back();
    REQUIRE(holds(error_with(kTrainImages, bytes), "ends at byte 3935, expected 3936 bytes"));
    bytes.resize(6);
    REQUIRE(holds(error_with(kTrainImages, bytes), "ends at byte 6, within the header's count"));
    REQUIRE(holds(error_with(kTrainImages, {}), "ends at byte 0, within the header's magic"));
    bytes = labels_file(kTrainCount);
    bytes.push_back(0);
    REQUIRE(holds(error_with(kTrainLabels, bytes), "goes on after byte 13"));
}

TEST_CASE("an IDX label above 9 is named with its offset", "[data]") {
    Bytes bytes = labels_file(kTrainCount);
    bytes[8 + 2] = 12;
    REQUIRE(holds(error_with(kTrainLabels, bytes), "label 12 at byte 10, expected 0 to 9"));
}

TEST_CASE("damaged gzip is refused", "[data]") {
    const TemporaryFolder folder;
    write_set(folder.path());
    std::filesystem::remove(folder.path() / kTrainImages);
    const auto path = folder.path() / "train-images-idx3-ubyte.gz";

    SECTION("cut short") {
        write_gzip(path, images_file(kTrainCount));
        std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    }
    SECTION("a wrong digest at its end") {
        write_gzip(path, images_file(kTrainCount));
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(-8, std::ios::end);
        const int old = file.peek();
        file.put(static_cast<char>(old ^ 1));
    }
    const std::string message = error_in(folder.path());
    REQUIRE(holds(message, path.string() + ": damaged after byte "));
    REQUIRE(holds(message, "run experiments/get_data.sh mnist"));
}

TEST_CASE("the data set table lists each name once and names them on a wrong one", "[data]") {
    std::vector<std::string> names;
    for (const auto& entry : dp::core::datasets()) names.emplace_back(entry.name);
    REQUIRE(names == std::vector<std::string>{"synthetic", "cifar10", "mnist", "fashion-mnist"});

    const auto error =
        dp::tests::error_of([] { static_cast<void>(dp::core::load_dataset("cifar", "", 1)); });
    REQUIRE(error);
    REQUIRE(error->code() == dp::core::ExitCode::kUsage);
    REQUIRE(holds(error->what(), "'cifar'"));
    REQUIRE(holds(error->what(), "synthetic, cifar10, mnist, fashion-mnist"));
}

TEST_CASE("data that must be fetched says how when no folder is given", "[data]") {
    for (const std::string name : {"cifar10", "mnist"}) {
        const std::string message =
            data_error_of([&] { static_cast<void>(dp::core::load_dataset(name, "", 1)); });
        REQUIRE(holds(message, "pass --data-dir"));
        REQUIRE(holds(message, "run experiments/get_data.sh " + name + " data"));
    }
}

TEST_CASE("Fashion-MNIST is found by itself where Debian puts it", "[data]") {
    if (!std::filesystem::exists(dp::core::kFashionMnistFolder)) {
        WARN("not checked: Debian's package dataset-fashion-mnist is not installed");
        return;
    }
    const Dataset data = dp::core::load_dataset("fashion-mnist", "", 1);
    REQUIRE(data.train.size() == 60'000);
    REQUIRE(data.test.size() == 10'000);
}
