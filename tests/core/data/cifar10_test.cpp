// The CIFAR-10 reader on small folders written here; every test owns and removes its own.
#include "core/data/cifar10.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

namespace {

using dp::core::Dataset;
using dp::core::load_cifar10;
using dp::tests::Bytes;
using dp::tests::data_error_of;
using dp::tests::holds;
using dp::tests::TemporaryFolder;
using dp::tests::write_file;

constexpr std::size_t kRecordBytes = 3073;

// Image `image` of file `file`: its label, and pixels that tell the image and the position.
std::uint8_t label_of(std::size_t file, std::size_t image) {
    return static_cast<std::uint8_t>((file + 3 * image) % 10);
}
std::uint8_t pixel_of(std::size_t file, std::size_t image, std::size_t position) {
    return static_cast<std::uint8_t>(31 * file + 7 * image + position + position / 256);
}

Bytes records(std::size_t file, std::size_t count) {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
        bytes.push_back(label_of(file, i));
        for (std::size_t p = 0; p + 1 < kRecordBytes; ++p) bytes.push_back(pixel_of(file, i, p));
    }
    return bytes;
}

// Files of different lengths: file k has kCounts[k] records. 150 spans several read blocks.
constexpr std::size_t kCounts[] = {1, 150, 64, 65, 2, 3};
const char* const kNames[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                              "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

void write_set(const std::filesystem::path& folder) {
    for (std::size_t file = 0; file < 6; ++file) {
        write_file(folder / kNames[file], records(file, kCounts[file]));
    }
}

void check_images(const dp::core::ImageSet& set, std::size_t first, std::size_t file) {
    for (std::size_t i = 0; i < kCounts[file]; ++i) {
        REQUIRE(set.labels[first + i] == label_of(file, i));
        const auto image = set.image(first + i);
        bool equal = true;
        for (std::size_t p = 0; p < image.size(); ++p) {
            equal = equal && image[p] == pixel_of(file, i, p);
        }
        REQUIRE(equal);
    }
}

std::string error_in(const std::filesystem::path& folder) {
    return data_error_of([&] { static_cast<void>(load_cifar10(folder)); });
}

}  // namespace

TEST_CASE("CIFAR-10 images and labels come in the order of the files", "[data]") {
    const TemporaryFolder folder;
    write_set(folder.path());
    const Dataset data = load_cifar10(folder.path());

    REQUIRE(data.name == "cifar10");
    REQUIRE(data.source == folder.path().string());
    REQUIRE(data.shape() == dp::core::ImageShape{3, 32, 32});
    REQUIRE(data.test.shape == data.shape());
    REQUIRE(data.train.size() == 282);
    REQUIRE(data.test.size() == 3);
    std::size_t first = 0;
    for (std::size_t file = 0; file < 5; ++file) {
        check_images(data.train, first, file);
        first += kCounts[file];
    }
    check_images(data.test, 0, 5);
    REQUIRE(data.mean == std::vector<float>{0.4914F, 0.4822F, 0.4465F});
    REQUIRE(data.deviation == std::vector<float>{0.2470F, 0.2435F, 0.2616F});
}

TEST_CASE("the folder that holds cifar-10-batches-bin is as good as that folder", "[data]") {
    const TemporaryFolder folder;
    const auto nested = folder.path() / "cifar-10-batches-bin";
    std::filesystem::create_directory(nested);
    write_set(nested);
    REQUIRE(load_cifar10(folder.path()).source == nested.string());
    REQUIRE(load_cifar10(nested).source == nested.string());
}

TEST_CASE("a missing CIFAR-10 folder is named with the next step", "[data]") {
    const std::string message = error_in("/nowhere/at/all");
    REQUIRE(holds(message, "'/nowhere/at/all'"));
    REQUIRE(holds(message, "run experiments/get_data.sh cifar10"));
}

TEST_CASE("each missing CIFAR-10 file is named with the next step", "[data]") {
    for (const char* name : kNames) {
        const TemporaryFolder folder;
        write_set(folder.path());
        std::filesystem::remove(folder.path() / name);
        const std::string message = error_in(folder.path());
        REQUIRE(holds(message, (folder.path() / name).string() + ": No such file"));
        REQUIRE(holds(message, "run experiments/get_data.sh cifar10"));
    }
}

TEST_CASE("a CIFAR-10 file that is a folder is refused", "[data]") {
    const TemporaryFolder folder;
    write_set(folder.path());
    std::filesystem::remove(folder.path() / "test_batch.bin");
    std::filesystem::create_directory(folder.path() / "test_batch.bin");
    REQUIRE(holds(error_in(folder.path()), "test_batch.bin is not a regular file"));
}

TEST_CASE("a truncated CIFAR-10 file is named with its size and the expected one", "[data]") {
    const TemporaryFolder folder;
    write_set(folder.path());
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kRecordBytes - 1,
                                    kRecordBytes + 1, 2 * kRecordBytes - 1}) {
        std::filesystem::resize_file(folder.path() / "data_batch_3.bin", bytes);
        const std::string message = error_in(folder.path());
        REQUIRE(holds(message, "data_batch_3.bin has " + std::to_string(bytes) + " bytes"));
        REQUIRE(holds(message, "multiple of 3073"));
        REQUIRE(holds(message, "experiments/get_data.sh cifar10"));
    }
}

TEST_CASE("a CIFAR-10 label above 9 is named with its file and offset", "[data]") {
    const TemporaryFolder folder;
    for (const std::size_t image : {0, 1, 64, 149}) {
        write_set(folder.path());
        Bytes bytes = records(1, kCounts[1]);
        bytes[image * kRecordBytes] = 12;
        write_file(folder.path() / "data_batch_2.bin", bytes);
        REQUIRE(holds(error_in(folder.path()), "data_batch_2.bin: label 12 at byte " +
                                                   std::to_string(image * kRecordBytes) +
                                                   ", expected 0 to 9"));
    }
}
