#include "experiments/text/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include <zlib.h>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/whole_file.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

// A trace of all events that fit its buffers, of a hundred ranks, has a tenth of these bytes.
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;
// Ours have eight levels at most. Documents are copied and written recursively.
constexpr int kDeepest = 64;
constexpr double kLargest = 1e15;

void check_numbers(const fs::path& file, const Json& value, const std::string& name) {
    if (value.is_number()) {
        const auto number = value.get<double>();
        // Of all that is measured, only differences of clocks and of waiting have a sign.
        const bool has_sign = name.find(".clock.") != std::string::npos ||
                              name.ends_with(".wait_for_off_cpu_seconds");
        const double least = has_sign ? -kLargest : 0.0;
        if (number >= least && number <= kLargest) return;
        throw Error(ExitCode::kData, "{}: {} is {}, which is no measurement: remove the file",
                    file.string(), name, value.dump());
    }
    if (!value.is_structured()) return;
    for (const auto& [key, part] : value.items()) {
        check_numbers(file, part,
                      value.is_array() ? fmt::format("{}[{}]", name, key)
                                       : name + (name.empty() ? "" : ".") + key);
    }
}

/// What a file packed by gzip holds.
std::string unpack(const fs::path& file) {
    const std::unique_ptr<gzFile_s, decltype(&gzclose_r)> in(gzopen(file.c_str(), "rbe"),
                                                             gzclose_r);
    std::string text;
    std::string block(std::size_t{1} << 16, '\0');
    int status = in == nullptr ? Z_ERRNO : Z_OK;
    while (status == Z_OK && text.size() <= kMostBytes) {
        const int count = gzread(in.get(), block.data(), static_cast<unsigned>(block.size()));
        if (count > 0) text.append(block, 0, static_cast<std::size_t>(count));
        gzerror(in.get(), &status);
        if (count <= 0) break;
    }
    if (status == Z_OK && text.size() <= kMostBytes) return text;
    throw Error(ExitCode::kData, "{} cannot be unpacked: name a file that gzip wrote",
                file.string());
}

}  // namespace

void write_text(const fs::path& file, std::string_view text) {
    std::error_code ignored;  // should it matter, opening the file tells
    fs::create_directories(file.parent_path(), ignored);
    core::WholeFile out(file);
    out.write(std::as_bytes(std::span(text)));
    out.commit();
}

void write_json(const fs::path& file, const Json& document) {
    write_text(file, document.dump(2) + "\n");
}

Json read_json(const fs::path& file) {
    std::error_code error;
    std::string reason;
    if (!fs::is_regular_file(file, error)) {
        reason = error ? error.message() : "it is no regular file";
    } else if (fs::file_size(file, error) > kMostBytes) {
        reason = fmt::format("it has more than {} bytes", kMostBytes);
    }
    std::ifstream in(file);
    if (reason.empty() && !in) reason = std::strerror(errno);
    if (!reason.empty()) {
        throw Error(ExitCode::kData, "{} cannot be read ({}): name a file that dp_compare wrote",
                    file.string(), reason);
    }
    try {
        const auto not_too_deep = [&](int depth, Json::parse_event_t, Json&) {
            if (depth <= kDeepest) return true;
            throw Error(ExitCode::kData,
                        "{} is nested in more than {} levels, which no file of dp_compare is: "
                        "remove it",
                        file.string(), kDeepest);
        };
        Json document = file.extension() == ".gz" ? Json::parse(unpack(file), not_too_deep)
                                                  : Json::parse(in, not_too_deep);
        check_numbers(file, document, "");
        return document;
    } catch (const Json::exception& malformed) {
        throw Error(ExitCode::kData, "{} is no JSON of dp_compare ({}): remove it", file.string(),
                    malformed.what());
    }
}

}  // namespace dp::experiments
