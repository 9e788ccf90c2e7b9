// Checkpoints: what becomes of a file that is not what it should be.
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/checkpoint/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/checkpoints.hpp"
#include "tests/support/data.hpp"

using dp::tests::cifar_cnn;
using dp::tests::length_prefix;
using dp::tests::small_state;
using dp::tests::tensor_of;
using dp::tests::text_of;
using dp::tests::write_text;

namespace {

namespace fs = std::filesystem;
using dp::core::load_checkpoint;
using dp::core::NamedTensor;
using dp::core::save_checkpoint;
using dp::core::StateDict;
using dp::tests::data_error_of;
using dp::tests::error_of;
using dp::tests::holds;
using dp::tests::TemporaryFolder;

/// What load_checkpoint says of a file of `header` and `data_bytes` zero bytes.
std::string refusal(const std::string& header, std::size_t data_bytes) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "hostile";
    write_text(file, length_prefix(header.size()) + header + std::string(data_bytes, '\0'));
    return data_error_of([&] { (void)load_checkpoint(file); });
}

}  // namespace

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
