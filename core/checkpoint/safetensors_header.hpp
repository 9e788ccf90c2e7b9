// The JSON header of a safetensors file: the type, shape and place of each tensor in the data that
// follows. The caller owns all memory; offsets are bytes from the start of the data.
// Format: the README of safetensors, "Format".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace dp::core {

/// The limit of the reference reader.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
/// The header's own length, a little-endian integer, stands before it.
inline constexpr std::uint64_t kHeaderLengthBytes = 8;
/// The one entry of the header that is no tensor.
inline constexpr const char* kMetadataName = "__metadata__";

/// The types that our checkpoints hold, in the order of the reference writer.
enum class DataType { kInt64, kFloat32 };
struct DataTypeRow {
    DataType type;
    std::string_view name;
    std::uint64_t bytes;
};
inline constexpr DataTypeRow kDataTypes[] = {{DataType::kInt64, "I64", 8},
                                             {DataType::kFloat32, "F32", 4}};

struct TensorEntry {
    std::string name;
    DataType type = DataType::kFloat32;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

struct SafetensorsHeader {
    std::vector<TensorEntry> tensors;  // in the order of the data, which they fill without a gap
    std::map<std::string, std::string> metadata;
};

/// The header's text as the reference writer has it, padded with spaces to a multiple of 8. Bytes
/// of the metadata that are not UTF-8 become U+FFFD: an odd path must not cost a checkpoint.
[[nodiscard]] std::string format_header(const SafetensorsHeader& header);

/// The entries of `text`, a header that nobody has checked, before `data_bytes` bytes of data.
/// Takes no more memory than a small multiple of `text`. Throws Error(kData) that names `file` and
/// the entry, unless the tensors fill the data without overlap or gap.
[[nodiscard]] SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes,
                                             const std::filesystem::path& file);

/// Elements of a tensor of `shape`; the shape has been checked.
[[nodiscard]] std::uint64_t elements_of(std::span<const std::int64_t> shape);

/// "[64, 32, 3, 3]".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

/// `name` as a message may show it, wherever it came from: in quotes, printable, not long.
[[nodiscard]] std::string shown(std::string_view name);

/// Throws the Error(kData) of a checkpoint that cannot be read or is not one.
template <typename... Args>
[[noreturn]] void refuse_file(const std::filesystem::path& file, fmt::format_string<Args...> format,
                              Args&&... args) {
    throw Error(ExitCode::kData, "{}: {}; save the checkpoint again, or choose another",
                file.string(), fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace dp::core
