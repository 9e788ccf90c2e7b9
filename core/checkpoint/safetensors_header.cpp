#include "core/checkpoint/safetensors_header.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/checkpoint/safetensors_reader.hpp"

namespace dp::core {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();

const DataTypeRow& row_of(DataType type) { return kDataTypes[static_cast<std::size_t>(type)]; }

/// Checks that the tensor's bytes lie within the data, and are as many as its shape and type take.
void check_size(const TensorEntry& tensor, std::uint64_t data_bytes,
                const std::filesystem::path& file) {
    if (tensor.begin > tensor.end || tensor.end > data_bytes) {
        refuse_file(
            file, "tensor {}: data_offsets are [{}, {}], expected a range within the {} data bytes",
            shown(tensor.name), tensor.begin, tensor.end, data_bytes);
    }
    const DataTypeRow& type = row_of(tensor.type);
    std::uint64_t bytes = type.bytes;
    for (const std::int64_t dimension : tensor.shape) {
        const auto factor = static_cast<std::uint64_t>(dimension);
        if (factor != 0 && bytes > kMaxBytes / factor) {
            refuse_file(file, "tensor {}: shape {} takes more than 2^63 bytes", shown(tensor.name),
                        shape_text(tensor.shape));
        }
        bytes *= factor;
    }
    if (tensor.end - tensor.begin != bytes) {
        refuse_file(file, "tensor {}: data_offsets are [{}, {}], {} bytes; shape {} of {} takes {}",
                    shown(tensor.name), tensor.begin, tensor.end, tensor.end - tensor.begin,
                    shape_text(tensor.shape), type.name, bytes);
    }
}

}  // namespace

std::string format_header(const SafetensorsHeader& header) {
    ordered_json object = ordered_json::object();
    if (!header.metadata.empty()) object[kMetadataName] = header.metadata;
    for (const TensorEntry& tensor : header.tensors) {
        object[tensor.name] = {{"dtype", row_of(tensor.type).name},
                               {"shape", tensor.shape},
                               {"data_offsets", {tensor.begin, tensor.end}}};
    }
    // Two entries of one name would have become one.
    DP_CHECK(object.size(), ==, header.tensors.size() + (header.metadata.empty() ? 0 : 1));
    std::string text = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes,
                               const std::filesystem::path& file) {
    SafetensorsHeader header = read_entries(text, file);
    std::ranges::sort(header.tensors, {},
                      [](const TensorEntry& tensor) { return std::tie(tensor.begin, tensor.end); });
    std::uint64_t end = 0;
    for (const TensorEntry& tensor : header.tensors) {
        check_size(tensor, data_bytes, file);
        if (tensor.begin != end) {
            refuse_file(
                file, "tensor {}: data_offsets are [{}, {}], expected to begin at {}: {}",
                shown(tensor.name), tensor.begin, tensor.end, end,
                tensor.begin < end ? "it overlaps another tensor" : "bytes that no tensor has");
        }
        end = tensor.end;
    }
    if (end != data_bytes) {
        refuse_file(file, "the tensors end at byte {} of the data, which has {}", end, data_bytes);
    }
    return header;
}

std::uint64_t elements_of(std::span<const std::int64_t> shape) {
    std::uint64_t elements = 1;
    for (const std::int64_t dimension : shape) elements *= static_cast<std::uint64_t>(dimension);
    return elements;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text;
    for (const std::int64_t dimension : shape) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", dimension);
    }
    return "[" + text + "]";
}

std::string shown(std::string_view name) {
    constexpr std::size_t kLongest = 80;
    std::string text(name.substr(0, kLongest));
    for (char& c : text) {
        if (c < ' ' || c > '~') c = '?';  // a control character could rewrite the terminal
    }
    return fmt::format("'{}'{}", text, name.size() > kLongest ? "..." : "");
}

}  // namespace dp::core
