// Text in gzip's format (RFC 1952), through zlib.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dp::experiments {

/// Compresses text as it comes. The same text yields the same bytes: no time stands in them.
class GzipWriter {
public:
    GzipWriter();
    ~GzipWriter();
    GzipWriter(const GzipWriter&) = delete;
    GzipWriter& operator=(const GzipWriter&) = delete;

    void add(std::string_view text);
    /// All that was added, compressed; the last call.
    [[nodiscard]] std::string finish();

private:
    void deflate_into(std::string_view text, int flush);

    struct Stream;
    std::unique_ptr<Stream> stream_;
    std::string out_;
};

/// Reads a compressed file line by line, in memory that does not grow with the file. Throws
/// Error(kData) that names the file when it cannot be read, is damaged, or has a line of more than
/// kMostLine bytes.
class GzipReader {
public:
    static constexpr std::size_t kMostLine = 1024;

    explicit GzipReader(std::filesystem::path file);
    ~GzipReader();
    GzipReader(const GzipReader&) = delete;
    GzipReader& operator=(const GzipReader&) = delete;

    /// The next line without its end, which is valid until the next call; none at the file's end.
    [[nodiscard]] std::optional<std::string_view> line();

private:
    [[noreturn]] void fail(std::string_view reason) const;

    std::filesystem::path file_;
    void* stream_ = nullptr;  // gzFile
    std::string line_;
};

}  // namespace dp::experiments
