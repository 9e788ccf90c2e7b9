#include "experiments/text/gzip.hpp"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"

namespace dp::experiments {
namespace {

constexpr int kGzipFormat = 15 + 16;  // the largest window, with gzip's header

gzFile file_of(void* stream) { return static_cast<gzFile>(stream); }

}  // namespace

struct GzipWriter::Stream {
    z_stream zlib{};
};

GzipWriter::GzipWriter() : stream_(std::make_unique<Stream>()) {
    const int made = deflateInit2(&stream_->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipFormat,
                                  /*memLevel=*/8, Z_DEFAULT_STRATEGY);
    DP_CHECK(made, ==, Z_OK);
}

GzipWriter::~GzipWriter() { deflateEnd(&stream_->zlib); }

void GzipWriter::add(std::string_view text) {
    if (!text.empty()) deflate_into(text, Z_NO_FLUSH);
}

std::string GzipWriter::finish() {
    deflate_into({}, Z_FINISH);
    return std::move(out_);
}

void GzipWriter::deflate_into(std::string_view text, int flush) {
    std::array<unsigned char, 16384> buffer;
    z_stream& zlib = stream_->zlib;
    // zlib's interface takes what it only reads as if it wrote it.
    zlib.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
    zlib.avail_in = static_cast<unsigned>(text.size());
    do {
        zlib.next_out = buffer.data();
        zlib.avail_out = static_cast<unsigned>(buffer.size());
        deflate(&zlib, flush);
        out_.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - zlib.avail_out);
    } while (zlib.avail_out == 0);
}

GzipReader::GzipReader(std::filesystem::path file) : file_(std::move(file)) {
    line_.resize(kMostLine + 2);  // with its end
    errno = 0;
    stream_ = gzopen(file_.c_str(), "rb");
    if (stream_ == nullptr) fail(std::strerror(errno == 0 ? ENOMEM : errno));
}

GzipReader::~GzipReader() {
    if (stream_ != nullptr) gzclose(file_of(stream_));
}

std::optional<std::string_view> GzipReader::line() {
    if (gzgets(file_of(stream_), line_.data(), static_cast<int>(line_.size())) == nullptr) {
        int error = Z_OK;
        const char* const reason = gzerror(file_of(stream_), &error);
        if (error != Z_OK) fail(error == Z_ERRNO ? std::strerror(errno) : reason);
        return std::nullopt;
    }
    const std::string_view line(line_.data());
    if (line.ends_with('\n')) return line.substr(0, line.size() - 1);
    if (gzeof(file_of(stream_)) == 0) fail("it has a line that is too long");
    fail("its last line is not whole");
}

void GzipReader::fail(std::string_view reason) const {
    throw core::Error(core::ExitCode::kData,
                      "{} cannot be read ({}): remove it, or run the program again", file_.string(),
                      reason);
}

}  // namespace dp::experiments
