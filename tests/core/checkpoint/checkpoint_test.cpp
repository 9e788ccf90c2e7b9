// Checkpoints: the bytes that are written, what comes back, and the network that they must match.
#include "core/checkpoint/checkpoint.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/checkpoints.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"

using dp::tests::cifar_cnn;
using dp::tests::length_prefix;
using dp::tests::small_state;
using dp::tests::tensor_of;
using dp::tests::text_of;
using dp::tests::write_text;

namespace {

namespace fs = std::filesystem;
using dp::core::check_matches;
using dp::core::load_checkpoint;
using dp::core::NamedTensor;
using dp::core::save_checkpoint;
using dp::core::StateDict;
using dp::core::TensorRange;
using dp::tests::data_error_of;
using dp::tests::holds;
using dp::tests::TemporaryFolder;

bool same_bits(const NamedTensor& left, const NamedTensor& right) {
    if (left.name != right.name || left.shape != right.shape) return false;
    return std::ranges::equal(left.values, right.values, {}, std::bit_cast<std::uint32_t, float>,
                              std::bit_cast<std::uint32_t, float>);
}

std::size_t files_in(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::vector<TensorRange> ranges_of(const StateDict& state, bool statistics) {
    std::vector<TensorRange> ranges;
    for (const NamedTensor& tensor : state.tensors) {
        if (holds(tensor.name, ".running_") == statistics) {
            ranges.push_back({tensor.name, tensor.shape});
        }
    }
    return ranges;
}

/// What check_matches says of `state` where cifar_cnn is expected; empty when it accepts it.
std::string mismatch(const StateDict& state) {
    const StateDict expected = cifar_cnn();
    return data_error_of([&] {
        check_matches(state, ranges_of(expected, false), ranges_of(expected, true), "cifar_cnn",
                      "some.safetensors");
    });
}

}  // namespace

// The stored header was made from the state_dict of the network in PyTorch 1.13: one entry per
// tensor in the order of (I64 before F32, name), offsets running, json.dumps with separators
// (",", ":"), padded with spaces to a multiple of 8. That is what safetensors.torch.save_file does.
TEST_CASE("cifar_cnn's header is the one that PyTorch's state_dict gets") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "cifar_cnn.safetensors";
    save_checkpoint(file, cifar_cnn());
    const std::string expected = text_of(dp::tests::data_dir() / "cifar_cnn_header.json");
    const std::string written = text_of(file);
    REQUIRE(expected.size() % 8 == 0);
    REQUIRE(written.substr(0, 8) == length_prefix(expected.size()));
    REQUIRE(written.substr(8, expected.size()) == expected);
    REQUIRE(written.size() == 8 + expected.size() + 4'593'472);
}

TEST_CASE("a small checkpoint has these bytes, metadata first") {
    const TemporaryFolder folder;
    StateDict state{{{"bn1.running_mean", {2}, {1.0F, -2.0F}}, {"a", {}, {0.5F}}}, 258, {}};
    state.metadata = {{"step", "12"}, {"path", "a\"\n\xC3\xA9"}};
    save_checkpoint(folder.path() / "small", state);
    const std::string header =
        R"({"__metadata__":{"path":"a\"\n)"
        "\xC3\xA9"
        R"(","step":"12"},)"
        R"("bn1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
        R"("a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
        R"("bn1.running_mean":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})";
    const std::string padding((8 - header.size() % 8) % 8, ' ');
    const std::string data("\x02\x01\0\0\0\0\0\0\0\0\0\x3F\0\0\x80\x3F\0\0\0\xC0", 20);
    REQUIRE(text_of(folder.path() / "small") ==
            length_prefix(header.size() + padding.size()) + header + padding + data);
}

TEST_CASE("a checkpoint comes back to the bit") {
    using Limits = std::numeric_limits<float>;
    const TemporaryFolder folder;
    StateDict state = cifar_cnn();
    state.metadata = {{"epoch", "3"}, {"config", "{\"lr\": 0.01}"}};
    auto& values = state.tensors.front().values;
    values[0] = Limits::max();
    values[1] = Limits::lowest();
    values[2] = Limits::denorm_min();
    values[3] = -0.0F;
    save_checkpoint(folder.path() / "state", state);

    const StateDict loaded = load_checkpoint(folder.path() / "state");
    REQUIRE(loaded.metadata == state.metadata);
    REQUIRE(loaded.batches_tracked == 391);
    REQUIRE(loaded.tensors.size() == state.tensors.size());
    for (const NamedTensor& tensor : state.tensors) {
        INFO(tensor.name);
        REQUIRE(loaded.find(tensor.name) != nullptr);
        REQUIRE(same_bits(*loaded.find(tensor.name), tensor));
    }
    REQUIRE(loaded.find("bn1.num_batches_tracked") == nullptr);
}

TEST_CASE("metadata that is not UTF-8 does not cost the checkpoint") {
    const TemporaryFolder folder;
    save_checkpoint(folder.path() / "state", {{}, 0, {{"data", "caf\xE9"}}});
    REQUIRE(load_checkpoint(folder.path() / "state").metadata.at("data") == "caf\xEF\xBF\xBD");
}

TEST_CASE("a state that cannot be a checkpoint is a bug of its maker") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    const NamedTensor tensor = tensor_of("bn1.running_mean", {2});
    const StateDict broken[] = {
        {{tensor, tensor}, 0, {}},
        {{tensor, tensor_of("bn1.num_batches_tracked", {})}, 0, {}},
        {{{"a", {2}, {1.0F}}}, 0, {}},
        {{tensor}, -1, {}},
    };
    for (const StateDict& state : broken) {
        REQUIRE_THROWS_AS(save_checkpoint(file, state), dp::core::CheckFailure);
    }
    REQUIRE_FALSE(fs::exists(file));
}

TEST_CASE("a save that runs out of space keeps the previous checkpoint and leaves nothing behind") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    save_checkpoint(file, small_state());
    const std::string before = text_of(file);

    rlimit previous{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &previous) == 0);
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);  // write then fails with EFBIG
    const rlimit tight{100'000, previous.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const std::string message = data_error_of([&] { save_checkpoint(file, cifar_cnn()); });
    ::setrlimit(RLIMIT_FSIZE, &previous);
    ::signal(SIGXFSZ, handler);

    REQUIRE(holds(message, "File too large"));
    REQUIRE(holds(message, file.string()));
    REQUIRE(text_of(file) == before);
    REQUIRE(files_in(folder.path()) == 1);
}

TEST_CASE("a save into no folder, under a file, or over a folder is refused with the reason") {
    const TemporaryFolder folder;
    write_text(folder.path() / "file", "");
    fs::create_directory(folder.path() / "folder");
    const auto refused = [&](const char* name) {
        return data_error_of([&] { save_checkpoint(folder.path() / name, small_state()); });
    };
    REQUIRE(holds(refused("none/state"), "No such file or directory"));
    REQUIRE(holds(refused("file/state"), "Not a directory"));
    REQUIRE(holds(refused("folder"), "Is a directory"));
    REQUIRE(files_in(folder.path()) == 2);
}

TEST_CASE("the tensors of a network match it in any order") {
    StateDict state = cifar_cnn();
    std::ranges::reverse(state.tensors);
    const StateDict expected = cifar_cnn();
    REQUIRE_NOTHROW(check_matches(state, ranges_of(expected, false), ranges_of(expected, true),
                                  "cifar_cnn", "some.safetensors"));
}

TEST_CASE("a missing, extra or differently shaped tensor is named") {
    StateDict state = cifar_cnn();
    state.tensors.erase(state.tensors.begin() + 4);
    REQUIRE(holds(mismatch(state), "'bn1.running_mean' of cifar_cnn is missing"));

    state = cifar_cnn();
    state.tensors.push_back(tensor_of("fc3.bias", {1}));
    REQUIRE(holds(mismatch(state), "tensor 'fc3.bias' is none of cifar_cnn's"));

    state = cifar_cnn();
    state.tensors[0] = tensor_of("conv1.weight", {32, 1, 3, 3});
    const std::string message = mismatch(state);
    REQUIRE(holds(message,
                  "some.safetensors: tensor 'conv1.weight': shape is [32, 1, 3, 3], "
                  "expected [32, 3, 3, 3] for cifar_cnn"));
    REQUIRE(holds(message, "choose the --model"));
}

TEST_CASE("the prefix of DistributedDataParallel gets a hint") {
    StateDict state = cifar_cnn();
    for (NamedTensor& tensor : state.tensors) tensor.name.insert(0, "module.");
    const std::string message = mismatch(state);
    REQUIRE(holds(message,
                  "'module.conv1.weight' has the prefix of DistributedDataParallel, "
                  "expected 'conv1.weight'"));
    REQUIRE(holds(message, "{k.removeprefix('module.'): v for k, v in load_file(old).items()}"));
}
