// Checkpoints: the bytes that are written, and what becomes of a file that is not what it should
// be.
#include "core/checkpoint/checkpoint.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"

namespace {

namespace fs = std::filesystem;
using dp::core::check_matches;
using dp::core::load_checkpoint;
using dp::core::NamedTensor;
using dp::core::save_checkpoint;
using dp::core::StateDict;
using dp::core::TensorRange;
using dp::tests::Bytes;
using dp::tests::data_error_of;
using dp::tests::error_of;
using dp::tests::holds;
using dp::tests::TemporaryFolder;
using dp::tests::write_file;

NamedTensor tensor_of(std::string name, std::vector<std::int64_t> shape) {
    std::size_t elements = 1;
    for (const std::int64_t dimension : shape) elements *= static_cast<std::size_t>(dimension);
    NamedTensor tensor{std::move(name), std::move(shape), std::vector<float>(elements)};
    for (std::size_t i = 0; i < elements; ++i) {
        tensor.values[i] = static_cast<float>(i) - 0.1F * static_cast<float>(tensor.name.size());
    }
    return tensor;
}

StateDict cifar_cnn() {
    StateDict state;
    std::int64_t inputs = 3;
    for (const std::int64_t layer : {1, 2, 3}) {
        const std::int64_t outputs = 16 << layer;
        const std::string conv = "conv" + std::to_string(layer);
        const std::string norm = "bn" + std::to_string(layer);
        state.tensors.push_back(tensor_of(conv + ".weight", {outputs, inputs, 3, 3}));
        state.tensors.push_back(tensor_of(conv + ".bias", {outputs}));
        for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"}) {
            state.tensors.push_back(tensor_of(norm + name, {outputs}));
        }
        for (float& variance : state.tensors.back().values) variance = std::abs(variance);
        inputs = outputs;
    }
    state.tensors.push_back(tensor_of("fc1.weight", {512, 2048}));
    state.tensors.push_back(tensor_of("fc1.bias", {512}));
    state.tensors.push_back(tensor_of("fc2.weight", {10, 512}));
    state.tensors.push_back(tensor_of("fc2.bias", {10}));
    state.batches_tracked = 391;
    return state;
}

/// Two values and a counter: small enough to damage at every byte.
StateDict small_state() {
    return {{tensor_of("bn1.running_mean", {2}), tensor_of("a", {})}, 7, {{"epoch", "3"}}};
}

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
    write_file(file, Bytes(text.begin(), text.end()));
}

std::string length_prefix(std::uint64_t length) {
    std::string text;
    for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(length >> shift);
    return text;
}

/// What load_checkpoint says of a file of `header` and `data_bytes` zero bytes.
std::string refusal(const std::string& header, std::size_t data_bytes) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "hostile";
    write_text(file, length_prefix(header.size()) + header + std::string(data_bytes, '\0'));
    return data_error_of([&] { (void)load_checkpoint(file); });
}

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

TEST_CASE("values that nothing can be computed with are refused by tensor and index") {
    using Limits = std::numeric_limits<float>;
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    const auto refused = [&](const char* name, std::size_t index, float value) {
        StateDict state = cifar_cnn();
        std::ranges::find(state.tensors, name, &NamedTensor::name)->values[index] = value;
        save_checkpoint(file, state);
        return data_error_of([&] { (void)load_checkpoint(file); });
    };
    REQUIRE(holds(refused("conv1.weight", 863, Limits::quiet_NaN()),
                  "tensor 'conv1.weight': value 863 of 864 is nan, expected a finite number;"));
    REQUIRE(holds(refused("fc2.bias", 0, -Limits::infinity()),
                  "tensor 'fc2.bias': value 0 of 10 is -inf, expected a finite number;"));
    REQUIRE(holds(refused("bn2.running_var", 7, -0.5F),
                  "tensor 'bn2.running_var': value 7 of 64 is -0.5, expected a finite number, 0 or "
                  "more;"));
    for (const float fine : {0.F, -0.F, Limits::max()}) {
        REQUIRE(refused("bn2.running_var", 7, fine).empty());
    }
}

TEST_CASE("metadata that is not UTF-8 does not cost the checkpoint") {
    const TemporaryFolder folder;
    save_checkpoint(folder.path() / "state", {{}, 0, {{"data", "caf\xE9"}}});
    REQUIRE(load_checkpoint(folder.path() / "state").metadata.at("data") == "caf\xEF\xBF\xBD");
}

TEST_CASE("a file of any other length is refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    save_checkpoint(file, small_state());
    const std::string whole = text_of(file);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        INFO(length);
        write_text(file, whole.substr(0, length));
        REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }), file.string()));
    }
    write_text(file, "");
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }),
                  "has 0 bytes, expected at least the 8 of the header's length"));
    write_text(file, whole + '\0');
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }),
                  "the tensors end at byte 20 of the data, which has 21"));
}

TEST_CASE("a changed byte of the header is refused or harmless") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    save_checkpoint(file, small_state());
    const std::string whole = text_of(file);
    const std::size_t data_begin = whole.size() - 20;
    for (std::size_t i = 0; i < data_begin; ++i) {
        for (const int mask : {0x01, 0x02, 0x04, 0x20, 0x80, 0xFF}) {
            INFO("byte " << i << " mask " << mask);
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ mask);
            write_text(file, changed);
            const auto error = error_of([&] { (void)load_checkpoint(file); });
            REQUIRE((!error || error->code() == dp::core::ExitCode::kData));
        }
    }
}

TEST_CASE("a header length that the file cannot have is refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{100'000'001},
                                       std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        write_text(file, length_prefix(length) + "{}");
        REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }),
                      fmt::format("header length at byte 0 is {}, expected at most 2", length)));
    }
    // The file grows without taking space, so the header length is within it.
    write_text(file, length_prefix(100'000'001) + "{}");
    fs::resize_file(file, 200'000'000);
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }),
                  "header length at byte 0 is 100000001, expected at most 100000000"));
    fs::resize_file(file, std::uintmax_t{1} << 40);
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }),
                  "has 1099511627776 bytes, expected at most 1073741824"));
}

TEST_CASE("an I64 tensor that is no counter, or a counter out of place, is refused") {
    struct Row {
        const char* header;
        std::size_t data_bytes;
        const char* message;
    };
    const Row rows[] = {
        {R"({"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", 8,
         "tensor 'a': dtype is I64, expected F32"},
        {R"({"b.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", 8,
         "expected 'b.running_mean' beside it"},
        {R"({"b.num_batches_tracked":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8,
         "shape is [1], expected []"},
        {R"({"b.num_batches_tracked":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4,
         "dtype is F32, expected I64"},
    };
    for (const Row& row : rows) {
        INFO(row.header);
        REQUIRE(holds(refusal(row.header, row.data_bytes), row.message));
    }
}

TEST_CASE("tensors may stand in any order, and an old file has no num_batches_tracked") {
    const TemporaryFolder folder;
    const std::string header =
        R"({"z.running_mean":{"data_offsets":[4,8],"shape":[1],"dtype":"F32"},)"
        R"("a":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},)"
        R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    write_text(folder.path() / "old",
               length_prefix(header.size()) + header + std::string("\0\0\x80\x3F\0\0\0\x40", 8));
    const StateDict state = load_checkpoint(folder.path() / "old");
    REQUIRE(state.batches_tracked == 0);
    REQUIRE(state.find("b")->values == std::vector{1.0F});
    REQUIRE(state.find("z.running_mean")->values == std::vector{2.0F});
    REQUIRE(state.find("a")->values.empty());
}

TEST_CASE("counters that differ or are negative are refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "state";
    save_checkpoint(
        file, {{tensor_of("bn1.running_mean", {1}), tensor_of("bn2.running_mean", {1})}, 7, {}});
    const std::string whole = text_of(file);
    const auto refusal_with = [&](std::size_t place_from_end, char value) {
        std::string text = whole;
        text[text.size() - place_from_end] = value;
        write_text(file, text);
        return data_error_of([&] { (void)load_checkpoint(file); });
    };
    // The data are two counters and two floats: 24 bytes.
    REQUIRE(holds(refusal_with(16, '\x08'),
                  "tensor 'bn2.num_batches_tracked': value is 8, expected 7 as in the others"));
    REQUIRE(holds(refusal_with(17, '\x80'), "value is -9223372036854775801, expected 0 or more"));
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

TEST_CASE("what is not a regular file is refused without a wait") {
    const TemporaryFolder folder;
    const fs::path pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    for (const fs::path& file : {pipe, folder.path(), fs::path("/dev/zero")}) {
        REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(file); }), "not a regular file"));
    }
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(folder.path() / "none"); }),
                  "No such file or directory"));
}

TEST_CASE("a file of torch.save gets a hint") {
    const TemporaryFolder folder;
    write_text(folder.path() / "model.pt", std::string("PK\x03\x04\0\0\0\0\0\0", 10));
    REQUIRE(holds(data_error_of([&] { (void)load_checkpoint(folder.path() / "model.pt"); }),
                  "safetensors.torch.save_file(model.state_dict()"));
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

}  // namespace
