// Data that the program cannot train on, as its user meets it.
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/small_run.hpp"

using namespace dp;
using tests::holds;
using tests::run_program;
using tests::small_run;

namespace {

namespace fs = std::filesystem;

/// A CIFAR-10 folder of a few images a file.
void write_cifar(const fs::path& folder) {
    fs::create_directories(folder);
    for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                             "data_batch_5", "test_batch"}) {
        tests::write_file(folder / (std::string(name) + ".bin"), tests::Bytes(4 * 3073, 3));
    }
}

void patch(const fs::path& file, std::streamoff at, char value) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream.put(value);
}

}  // namespace

TEST_CASE("bad data is named with exit code 3") {
    const tests::TemporaryFolder folder;
    const fs::path cifar = folder.path() / "cifar-10-batches-bin";
    const auto run = [&](const fs::path& dir) {
        return run_program(small_run({"--dataset", "cifar10", "--data-dir", dir.string()}));
    };
    const auto check = [&](const tests::ProgramResult& result, const std::string& named) {
        INFO(result.err);
        CHECK(result.exit_code == 3);
        CHECK(holds(result.err, named));
        CHECK_FALSE(holds(result.out, "Epoch"));
    };
    check(run(folder.path() / "missing"), "missing");
    write_cifar(cifar);
    CHECK(run(cifar).exit_code == 0);
    CHECK(run(folder.path()).exit_code == 0);

    patch(cifar / "data_batch_2.bin", 3073, 12);  // the label of the second image
    check(run(cifar), "data_batch_2.bin");
    CHECK(holds(run(cifar).err, "12"));
    CHECK(holds(run(cifar).err, "3073"));
    patch(cifar / "data_batch_2.bin", 3073, 3);
    fs::resize_file(cifar / "data_batch_4.bin", 3 * 3073 + 100);
    check(run(cifar), "data_batch_4.bin");

    const auto missing = run_program(small_run({"--dataset", "cifar10"}));
    check(missing, "--data-dir");
    check(run_program(small_run({"--load", (folder.path() / "no.safetensors").string()})),
          "no.safetensors");
}

TEST_CASE("an IDX file with a wrong magic number is named with exit code 3") {
    const tests::TemporaryFolder folder;
    for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
        tests::write_file(folder.path() / name, tests::Bytes(64, 0x55));
    }
    const auto result =
        run_program(small_run({"--dataset", "mnist", "--data-dir", folder.path().string()}));
    CHECK(result.exit_code == 3);
    CHECK(holds(result.err, "idx"));
    CHECK(holds(result.err, "magic"));
}

TEST_CASE("a batch of more images than there are is refused, or warned of where workers share") {
    const auto refused = run_program({"--batch-size", "10001", "--dry-run"});
    CHECK(refused.exit_code == 2);
    CHECK(holds(refused.err, "--batch-size 10001 is more than the 10000 training images"));
    CHECK(holds(run_program({"--global-batch", "20000", "--dry-run"}).err, "--global-batch 20000"));
    const auto warned =
        run_program({"--mode", "threads", "-n", "2", "--batch-size", "6000", "--dry-run"});
    CHECK(warned.exit_code == 0);
    CHECK(holds(warned.err, "2 workers with batches of 6000 take 12000 images a step"));
}

TEST_CASE("a folder of data without its data set's name is refused and what it holds is named") {
    const tests::TemporaryFolder folder;
    const auto refused = [&] {
        const auto result = run_program(small_run({"--data-dir", folder.path().string()}));
        CHECK(result.exit_code == 2);
        return result.err;
    };
    CHECK(holds(refused(), "name the data set that it holds"));
    std::filesystem::create_directory(folder.path() / "mnist");
    std::ofstream(folder.path() / "mnist" / "train-images-idx3-ubyte.gz") << "x";
    CHECK(holds(refused(), "it holds mnist, so add --dataset"));
}
