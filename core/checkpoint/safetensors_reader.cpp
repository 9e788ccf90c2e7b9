// nlohmann's event interface neither recurses nor builds a tree: a header has a fixed nesting, and
// the first bracket too many ends the reading.
#include "core/checkpoint/safetensors_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace dp::core {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDimensions = 8;  // our networks have 4
constexpr std::uint64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();

/// Turns the parser's events into entries; anything out of place throws.
class HeaderReader final : public json::json_sax_t {
public:
    explicit HeaderReader(const std::filesystem::path& file) : file_(file) {}

    SafetensorsHeader take() { return std::move(header_); }

    bool start_object(std::size_t) override {
        switch (expected_) {
            case Expected::kHeader:
                return next(Expected::kName);
            case Expected::kMetadata:
                return next(Expected::kMetadataKey);
            case Expected::kTensor:
                return next(Expected::kField);
            default:
                refuse("an object");
        }
    }

    bool key(string_t& text) override {
        if (expected_ == Expected::kMetadataKey) {
            where_ = text;
            if (header_.metadata.contains(text)) {
                refuse_file(file_, "metadata {} stands in it twice", shown(text));
            }
            return next(Expected::kMetadataValue);
        }
        if (expected_ == Expected::kField) return start_field(text);
        where_ = text;
        if (!names_.insert(text).second) refuse_file(file_, "{} stands in it twice", shown(text));
        if (text == kMetadataName) return next(Expected::kMetadata);
        fields_ = {};
        return next(Expected::kTensor);
    }

    bool string(string_t& text) override {
        if (expected_ == Expected::kMetadataValue) {
            header_.metadata.emplace(where_, text);
            return next(Expected::kMetadataKey);
        }
        if (expected_ != Expected::kType) refuse(shown(text));
        const auto* row = std::ranges::find(kDataTypes, text, &DataTypeRow::name);
        if (row == std::end(kDataTypes)) {
            refuse_file(file_, "tensor {}: dtype is {}, expected F32, or I64 for a counter",
                        shown(where_), shown(text));
        }
        fields_.type = row->type;
        return next(Expected::kField);
    }

    bool start_array(std::size_t) override {
        if (expected_ == Expected::kShape) {
            fields_.shape.emplace();
            return next(Expected::kDimension);
        }
        if (expected_ == Expected::kOffsets) {
            fields_.offsets.emplace();
            return next(Expected::kOffset);
        }
        refuse("an array");
    }

    bool number_unsigned(number_unsigned_t value) override {
        if (expected_ == Expected::kDimension && value <= kMaxInt64) {
            if (fields_.shape->size() == kMaxDimensions) {
                refuse_file(file_, "tensor {}: more than {} dimensions", shown(where_),
                            kMaxDimensions);
            }
            fields_.shape->push_back(static_cast<std::int64_t>(value));
            return true;
        }
        if (expected_ == Expected::kOffset && fields_.offsets->size() < 2) {
            fields_.offsets->push_back(value);
            return true;
        }
        refuse(std::to_string(value));
    }

    bool end_array() override {
        if (expected_ == Expected::kOffset && fields_.offsets->size() != 2)
            refuse("one offset or none");
        return next(Expected::kField);
    }

    bool end_object() override {
        if (expected_ == Expected::kName) return next(Expected::kEnd);
        if (expected_ == Expected::kField) finish_tensor();
        return next(Expected::kName);
    }

    bool null() override { refuse("null"); }
    bool boolean(bool) override { refuse("a boolean"); }
    bool number_integer(number_integer_t value) override { refuse(std::to_string(value)); }
    bool number_float(number_float_t, const string_t& text) override { refuse(shown(text)); }
    bool binary(binary_t&) override { refuse("binary data"); }

    bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
        // The parser counts from 1. Its own message quotes the file, at any length.
        refuse_file(file_, "the header is not valid JSON at byte {}",
                    kHeaderLengthBytes + std::max<std::size_t>(position, 1) - 1);
    }

private:
    enum class Expected {
        kHeader,
        kName,
        kMetadata,
        kMetadataKey,
        kMetadataValue,
        kTensor,
        kField,
        kType,
        kShape,
        kDimension,
        kOffsets,
        kOffset,
        kEnd
    };

    struct Fields {
        std::optional<DataType> type;
        std::optional<std::vector<std::int64_t>> shape;
        std::optional<std::vector<std::uint64_t>> offsets;
    };

    bool next(Expected expected) {
        expected_ = expected;
        return true;
    }

    bool start_field(const std::string& text) {
        const auto once = [&](bool seen, Expected value) {
            if (seen) refuse_file(file_, "tensor {}: {} stands in it twice", shown(where_), text);
            return next(value);
        };
        if (text == "dtype") return once(fields_.type.has_value(), Expected::kType);
        if (text == "shape") return once(fields_.shape.has_value(), Expected::kShape);
        if (text == "data_offsets") return once(fields_.offsets.has_value(), Expected::kOffsets);
        refuse_file(file_, "tensor {}: unknown field {}, expected dtype, shape and data_offsets",
                    shown(where_), shown(text));
    }

    void finish_tensor() {
        const char* missing = !fields_.type      ? "dtype"
                              : !fields_.shape   ? "shape"
                              : !fields_.offsets ? "data_offsets"
                                                 : nullptr;
        if (missing != nullptr) {
            refuse_file(file_, "tensor {}: {} is missing", shown(where_), missing);
        }
        header_.tensors.push_back({where_, *fields_.type, std::move(*fields_.shape),
                                   fields_.offsets->front(), fields_.offsets->back()});
    }

    [[nodiscard]] const char* expected_text() const {
        switch (expected_) {
            case Expected::kMetadataValue:
            case Expected::kType:
                return "a string";
            case Expected::kShape:
            case Expected::kOffsets:
                return "an array";
            case Expected::kDimension:
                return "a dimension from 0 to 2^63 - 1";
            case Expected::kOffset:
                return "two offsets from 0 to 2^64 - 1";
            default:  // JSON's grammar lets nothing but a value be out of place
                return "an object";
        }
    }

    [[noreturn]] void refuse(const std::string& found) const {
        refuse_file(file_, "header entry {}: found {}, expected {}", shown(where_), found,
                    expected_text());
    }

    const std::filesystem::path& file_;
    SafetensorsHeader header_;
    std::set<std::string> names_;
    Expected expected_ = Expected::kHeader;
    std::string where_;  // the tensor or metadata key being read
    Fields fields_;
};

}  // namespace

SafetensorsHeader read_entries(std::string_view text, const std::filesystem::path& file) {
    // nlohmann skips a byte order mark and stops at a zero byte; other readers do neither, and a
    // file must mean the same to all.
    if (!text.starts_with('{')) {
        refuse_file(file, "byte {} is not the '{{' of a JSON object", kHeaderLengthBytes);
    }
    if (const std::size_t zero = text.find('\0'); zero != text.npos) {
        refuse_file(file, "the header has a zero byte at byte {}", kHeaderLengthBytes + zero);
    }
    HeaderReader reader(file);
    json::sax_parse(text.begin(), text.end(), &reader);
    return reader.take();
}

}  // namespace dp::core
