#include "core/checkpoint/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/whole_file.hpp"
#include "core/checkpoint/safetensors_header.hpp"

namespace dp::core {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::string_view kMean = ".running_mean";
constexpr std::string_view kCounter = ".num_batches_tracked";
// Our largest network takes 11 MB. The limit keeps a sparse file, which costs its maker nothing,
// from costing us its size in memory.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

/// `name`, which ends in `from`, with `to` there instead.
std::string replace_suffix(std::string_view name, std::string_view from, std::string_view to) {
    return std::string(name.substr(0, name.size() - from.size())).append(to);
}

SafetensorsHeader header_of(const StateDict& state) {
    SafetensorsHeader header{{}, state.metadata};
    for (const NamedTensor& tensor : state.tensors) {
        DP_CHECK(tensor.values.size(), ==, elements_of(tensor.shape));
        header.tensors.push_back(
            {tensor.name, DataType::kFloat32, tensor.shape, 0, tensor.values.size() * 4});
        if (tensor.name.ends_with(kMean)) {
            header.tensors.push_back(
                {replace_suffix(tensor.name, kMean, kCounter), DataType::kInt64, {}, 0, 8});
        }
    }
    std::ranges::sort(header.tensors, {},
                      [](const TensorEntry& tensor) { return std::tie(tensor.type, tensor.name); });
    std::uint64_t end = 0;
    for (TensorEntry& tensor : header.tensors) {
        tensor.begin = end;
        end = tensor.end += end;
    }
    return header;
}

/// An open file that is read from front to back.
class InputFile {
public:
    explicit InputFile(const std::filesystem::path& path) : path_(path) {
        // Opening a pipe would wait for its writer, and a device has no size.
        std::error_code error;
        const bool regular = std::filesystem::is_regular_file(path, error);
        if (!error && regular) size_ = std::filesystem::file_size(path, error);
        if (error) fail("cannot be opened: {}", error.message());
        if (!regular) fail("is not a regular file");
        errno = 0;
        stream_.open(path, std::ios::binary);
        if (!stream_) fail("cannot be opened: {}", std::generic_category().message(errno));
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }

    void read(std::span<std::byte> dst) {
        const auto count = static_cast<std::streamsize>(dst.size());
        stream_.read(reinterpret_cast<char*>(dst.data()), count);
        if (stream_.gcount() != count) {
            fail("cannot be read from byte {} to {}: cut short meanwhile?", offset_,
                 offset_ + dst.size());
        }
        offset_ += dst.size();
    }

    template <typename... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        refuse_file(path_, format, std::forward<Args>(args)...);
    }

private:
    const std::filesystem::path& path_;
    std::uint64_t size_ = 0;
    std::uint64_t offset_ = 0;
    std::ifstream stream_;
};

SafetensorsHeader read_header(InputFile& input, const std::filesystem::path& file) {
    if (input.size() < kHeaderLengthBytes) {
        input.fail("has {} bytes, expected at least the {} of the header's length", input.size(),
                   kHeaderLengthBytes);
    }
    if (input.size() > kMaxFileBytes) {
        input.fail("has {} bytes, expected at most {}", input.size(), kMaxFileBytes);
    }
    std::array<std::byte, kHeaderLengthBytes> prefix{};
    input.read(prefix);
    constexpr std::array kZip{std::byte{'P'}, std::byte{'K'}, std::byte{3}, std::byte{4}};
    if (std::ranges::equal(std::span(prefix).first(kZip.size()), kZip)) {
        input.fail(
            "is a zip file, as torch.save writes; in PyTorch, "
            "safetensors.torch.save_file(model.state_dict(), name) writes one that fits");
    }
    const auto header_bytes = std::bit_cast<std::uint64_t>(prefix);
    const std::uint64_t limit = std::min(input.size() - kHeaderLengthBytes, kMaxHeaderBytes);
    if (header_bytes > limit) {
        input.fail("header length at byte 0 is {}, expected at most {} in a file of {} bytes",
                   header_bytes, limit, input.size());
    }
    std::string text(header_bytes, '\0');
    input.read(std::as_writable_bytes(std::span(text)));
    return parse_header(text, input.size() - kHeaderLengthBytes - header_bytes, file);
}

/// A counter must be one that save_checkpoint would write again, and all else a float.
void check_types(const SafetensorsHeader& header, const InputFile& input) {
    std::set<std::string_view> names;
    for (const TensorEntry& tensor : header.tensors) names.insert(tensor.name);
    for (const TensorEntry& tensor : header.tensors) {
        const bool is_counter = tensor.name.ends_with(kCounter);
        if (is_counter != (tensor.type == DataType::kInt64)) {
            input.fail("tensor {}: dtype is {}, expected {}", shown(tensor.name),
                       is_counter ? "F32" : "I64", is_counter ? "I64" : "F32");
        }
        if (!is_counter) continue;
        if (!tensor.shape.empty()) {
            input.fail("tensor {}: shape is {}, expected []", shown(tensor.name),
                       shape_text(tensor.shape));
        }
        const std::string mean = replace_suffix(tensor.name, kCounter, kMean);
        if (!names.contains(mean)) {
            input.fail("tensor {}: expected {} beside it", shown(tensor.name), shown(mean));
        }
    }
}

/// Weights that training or evaluation can work with.
void check_values(const NamedTensor& tensor, const InputFile& input) {
    const bool variance = tensor.name.ends_with(".running_var");
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        const float value = tensor.values[i];
        if (std::isfinite(value) && !(variance && value < 0.F)) continue;
        input.fail("tensor {}: value {} of {} is {}, expected a finite number{}",
                   shown(tensor.name), i, tensor.values.size(), value,
                   variance ? ", 0 or more" : "");
    }
}

[[noreturn]] void mismatch(const std::filesystem::path& file, std::string_view model,
                           const std::string& what) {
    throw Error(ExitCode::kData,
                "{}: {}; choose the --model that the checkpoint was saved from, or a checkpoint of "
                "{}",
                file.string(), what, model);
}

/// DistributedDataParallel wraps the network in a member called `module`.
void check_prefix(const StateDict& state, const std::filesystem::path& file) {
    constexpr std::string_view kPrefix = "module.";
    for (const NamedTensor& tensor : state.tensors) {
        const std::string_view name = tensor.name;
        if (!name.starts_with(kPrefix)) continue;
        throw Error(ExitCode::kData,
                    "{}: tensor {} has the prefix of DistributedDataParallel, expected {}; in "
                    "PyTorch, strip it with save_file({{k.removeprefix('module.'): v for k, v in "
                    "load_file(old).items()}}, new)",
                    file.string(), shown(name), shown(name.substr(kPrefix.size())));
    }
}

}  // namespace

const NamedTensor* StateDict::find(std::string_view name) const {
    const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
    return found == tensors.end() ? nullptr : &*found;
}

void save_checkpoint(const std::filesystem::path& file, const StateDict& state) {
    DP_CHECK(state.batches_tracked, >=, 0);
    const SafetensorsHeader header = header_of(state);
    const std::string text = format_header(header);
    const std::uint64_t header_bytes = text.size();

    WholeFile output(file);
    output.write(std::as_bytes(std::span(&header_bytes, 1)));
    output.write(std::as_bytes(std::span(text)));
    for (const TensorEntry& tensor : header.tensors) {
        output.write(tensor.type == DataType::kInt64
                         ? std::as_bytes(std::span(&state.batches_tracked, 1))
                         : std::as_bytes(std::span(state.find(tensor.name)->values)));
    }
    output.commit();
}

StateDict load_checkpoint(const std::filesystem::path& file) {
    InputFile input(file);
    SafetensorsHeader header = read_header(input, file);
    check_types(header, input);

    StateDict state;
    state.metadata = std::move(header.metadata);
    std::optional<std::int64_t> batches;
    for (TensorEntry& tensor : header.tensors) {
        if (tensor.type == DataType::kInt64) {
            std::int64_t value = 0;
            input.read(std::as_writable_bytes(std::span(&value, 1)));
            if (value != batches.value_or(value) || value < 0) {
                input.fail("tensor {}: value is {}, expected {}", shown(tensor.name), value,
                           batches ? std::to_string(*batches) + " as in the others" : "0 or more");
            }
            batches = value;
            continue;
        }
        std::vector<float> values(elements_of(tensor.shape));
        input.read(std::as_writable_bytes(std::span(values)));
        state.tensors.push_back(
            {std::move(tensor.name), std::move(tensor.shape), std::move(values)});
        check_values(state.tensors.back(), input);
    }
    state.batches_tracked = batches.value_or(0);
    return state;
}

void check_matches(const StateDict& state, std::span<const TensorRange> parameters,
                   std::span<const TensorRange> statistics, std::string_view model,
                   const std::filesystem::path& file) {
    check_prefix(state, file);
    std::set<std::string_view> expected;
    for (const auto& block : {parameters, statistics}) {
        for (const TensorRange& range : block) {
            expected.insert(range.name);
            const NamedTensor* tensor = state.find(range.name);
            if (tensor == nullptr) {
                mismatch(file, model,
                         fmt::format("tensor {} of {} is missing", shown(range.name), model));
            }
            if (tensor->shape != range.shape) {
                mismatch(
                    file, model,
                    fmt::format("tensor {}: shape is {}, expected {} for {}", shown(range.name),
                                shape_text(tensor->shape), shape_text(range.shape), model));
            }
        }
    }
    for (const NamedTensor& tensor : state.tensors) {
        if (!expected.contains(tensor.name)) {
            mismatch(file, model,
                     fmt::format("tensor {} is none of {}'s", shown(tensor.name), model));
        }
    }
}

}  // namespace dp::core
