// Headers of safetensors files as an attacker or a broken disk would have them.
#include "core/checkpoint/safetensors_header.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

namespace {

using dp::core::parse_header;
using dp::tests::data_error_of;
using dp::tests::holds;

/// What parse_header says of `header` before `data_bytes` bytes of data.
std::string refusal(std::string_view header, std::size_t data_bytes = 0) {
    return data_error_of([&] { (void)parse_header(header, data_bytes, "some.safetensors"); });
}

TEST_CASE("a hostile header is refused, and the message says what it holds") {
    struct Row {
        const char* header;
        std::size_t data_bytes;
        const char* message;
    };
    const Row rows[] = {
        {"", 0, "byte 8 is not the '{'"},
        {" {}", 0, "byte 8 is not the '{'"},
        {"\xEF\xBB\xBF{}", 0, "byte 8 is not the '{'"},
        {"[]", 0, "byte 8 is not the '{'"},
        {"{", 0, "not valid JSON at byte 9"},
        {"{}{}", 0, "not valid JSON at byte 10"},
        {R"({"a":)", 0, "not valid JSON"},
        {"{\"\xFF\":1}", 0, "not valid JSON at byte 10"},
        {R"({"a":1})", 0, "entry 'a': found 1, expected an object"},
        {R"({"a":null})", 0, "entry 'a': found null, expected an object"},
        {R"({"a":[]})", 0, "entry 'a': found an array, expected an object"},
        {R"({"a":{}})", 0, "tensor 'a': dtype is missing"},
        {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "tensor 'a': shape is missing"},
        {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "tensor 'a': data_offsets is missing"},
        {R"({"a":{"dtype":"F32","x":[1]}})", 4, "tensor 'a': unknown field 'x'"},
        {R"({"a":{"dtype":"F32","dtype":"F32"}})", 4, "tensor 'a': dtype stands in it twice"},
        {R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{}})", 4,
         "'a' stands in it twice"},
        {R"({"__metadata__":{},"__metadata__":{}})", 0, "'__metadata__' stands in it twice"},
        {R"({"__metadata__":{"k":"1","k":"2"}})", 0, "metadata 'k' stands in it twice"},
        {R"({"__metadata__":{"k":1}})", 0, "entry 'k': found 1, expected a string"},
        {R"({"__metadata__":"k"})", 0, "entry '__metadata__': found 'k', expected an object"},
        {R"({"a":{"dtype":7}})", 0, "entry 'a': found 7, expected a string"},
        {R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", 2, "dtype is 'BF16'"},
        {R"({"a":{"shape":7}})", 0, "entry 'a': found 7, expected an array"},
        {R"({"a":{"shape":[-1]}})", 0, "entry 'a': found -1, expected a dimension"},
        {R"({"a":{"shape":[1.5]}})", 0, "entry 'a': found '1.5', expected a dimension"},
        {R"({"a":{"shape":[[1]]}})", 0, "entry 'a': found an array, expected a dimension"},
        {R"({"a":{"shape":[9223372036854775808]}})", 0, "found 9223372036854775808"},
        {R"({"a":{"shape":[18446744073709551616]}})", 0, "found '18446744073709551616'"},
        {R"({"a":{"shape":[1,1,1,1,1,1,1,1,1]}})", 0, "tensor 'a': more than 8 dimensions"},
        {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
         "shape [4294967296, 4294967296] takes more than 2^63 bytes"},
        {R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}})", 4,
         "takes more than 2^63 bytes"},
        {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
         "data_offsets are [0, 4], 4 bytes; shape [2] of F32 takes 8"},
        {R"({"a":{"data_offsets":[0]}})", 0, "found one offset or none, expected two offsets"},
        {R"({"a":{"data_offsets":[0,1,2]}})", 0, "found 2, expected two offsets"},
        {R"({"a":{"data_offsets":[-4,0]}})", 0, "found -4, expected two offsets"},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4,
         "data_offsets are [4, 0], expected a range within the 4 data bytes"},
        {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
         "data_offsets are [0, 8], expected a range within the 4 data bytes"},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
         "data_offsets are [4, 8], expected to begin at 0: bytes that no tensor has"},
        {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
         R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
         12, "tensor 'b': data_offsets are [4, 12], expected to begin at 8: it overlaps"},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5,
         "the tensors end at byte 4 of the data, which has 5"},
        {R"({"\u001b[2J":1})", 0, "entry '?[2J'"},
    };
    for (const Row& row : rows) {
        const std::string message = refusal(row.header, row.data_bytes);
        INFO(row.header);
        INFO(message);
        REQUIRE(holds(message, row.message));
        REQUIRE(message.starts_with("some.safetensors: "));
        REQUIRE(holds(message, "save the checkpoint again, or choose another"));
    }
    REQUIRE(holds(refusal(std::string("{}\0}", 4)), "zero byte at byte 10"));
}

TEST_CASE("nesting of any depth and names of any length cost no stack and no long message") {
    constexpr std::size_t kDepth = 4'000'000;
    std::string objects;
    for (std::size_t i = 0; i < kDepth; ++i) objects += R"({"a":)";
    REQUIRE(holds(refusal(objects), "tensor 'a': unknown field 'a'"));
    REQUIRE(holds(refusal(R"({"a":{"shape":)" + std::string(kDepth, '[')), "found an array"));
    const std::string message = refusal(R"({")" + std::string(kDepth, 'x') + R"(":1})");
    REQUIRE(holds(message, "xxx'..."));
    REQUIRE(message.size() < 400);
}

}  // namespace
