// Reads IDX files through zlib, which passes plain files on as they are. All integers are
// big-endian. Format: http://yann.lecun.com/exdb/mnist, "File formats".
#include "core/data/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

constexpr ImageShape kShape{1, 28, 28};
constexpr std::uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, one dimension
// MNIST has 70,000 images. A header that claims more than this is damaged or hostile.
constexpr std::uint32_t kMaxItems = 1'000'000;
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

/// One IDX file, read from front to back. Offsets count the unpacked bytes.
class IdxFile {
public:
    IdxFile(const std::filesystem::path& home, const char* name, const IdxFamily& family)
        : next_step_(family.next_step) {
        std::error_code ignored;
        std::filesystem::path path = home / name;
        if (!std::filesystem::exists(path, ignored)) path += ".gz";
        path_ = path.string();
        errno = 0;
        file_.reset(gzopen(path.c_str(), "rbe"));
        if (!file_ && errno == ENOENT) {
            throw Error(ExitCode::kData, "{} has neither {} nor {}.gz; {}", home.string(), name,
                        name, next_step_);
        }
        if (!file_) fail("cannot be opened: {}", errno == 0 ? "no memory" : std::strerror(errno));
        gzbuffer(file_.get(), 1U << 17);
    }

    /// Reads the next header integer, which must equal `expected`.
    void expect_u32(const char* what, std::uint32_t expected) {
        const std::size_t at = offset_;
        const std::uint32_t found = read_u32(what);
        if (found != expected) {
            fail("{} at byte {} is {:#010x} ({}), expected {:#010x} ({})", what, at, found, found,
                 expected, expected);
        }
    }

    std::size_t read_count() {
        const std::size_t at = offset_;
        const std::uint32_t count = read_u32("count");
        if (count == 0 || count > kMaxItems) {
            fail("count at byte {} is {}, expected 1 to {}", at, count, kMaxItems);
        }
        return count;
    }

    /// Reads the `bytes` bytes that follow, after which the file must end.
    std::vector<std::uint8_t> read_rest(std::size_t bytes) {
        std::vector<std::uint8_t> data;
        // A megabyte at a time, so that a short file cannot make us reserve what it promises.
        while (data.size() < bytes) {
            const std::size_t done = data.size();
            data.resize(done + std::min(kBlockBytes, bytes - done));
            read_exactly(std::span(data).subspan(done), offset_ + bytes - done);
        }
        // Reading past the end is also what makes zlib check the gzip digest.
        std::uint8_t extra = 0;
        if (read_some({&extra, 1}) != 0) {
            fail("goes on after byte {}, where its header says it ends", offset_ - 1);
        }
        return data;
    }

    template <typename... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        throw Error(ExitCode::kData, "{}: {}; {}", path_,
                    fmt::format(format, std::forward<Args>(args)...), next_step_);
    }

private:
    struct Close {
        void operator()(gzFile file) const { gzclose_r(file); }
    };

    std::uint32_t read_u32(const char* what) {
        std::array<std::uint8_t, 4> b{};
        const std::size_t count = read_some(b);
        if (count != b.size()) {
            fail("ends at byte {}, within the header's {}", offset_, what);
        }
        return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 |
               std::uint32_t{b[3]};
    }

    void read_exactly(std::span<std::uint8_t> dst, std::size_t expected_end) {
        if (read_some(dst) != dst.size()) {
            fail("ends at byte {}, expected {} bytes: truncated", offset_, expected_end);
        }
    }

    /// Reads as many bytes as there are, up to dst.size() <= kBlockBytes.
    std::size_t read_some(std::span<std::uint8_t> dst) {
        const int count = gzread(file_.get(), dst.data(), static_cast<unsigned>(dst.size()));
        int status = Z_OK;
        const char* message = gzerror(file_.get(), &status);
        if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
            fail("damaged after byte {}: {}",
                 offset_ + static_cast<std::size_t>(std::max(count, 0)),
                 status == Z_ERRNO ? std::strerror(errno) : message);
        }
        offset_ += static_cast<std::size_t>(count);
        return static_cast<std::size_t>(count);
    }

    std::string_view next_step_;
    std::string path_;
    std::unique_ptr<gzFile_s, Close> file_;
    std::size_t offset_ = 0;
};

ImageSet read_set(const std::filesystem::path& home, const IdxFamily& family,
                  const char* images_name, const char* labels_name) {
    // Labels first: the short file finds most mistakes before the long one is unpacked.
    IdxFile labels(home, labels_name, family);
    IdxFile images(home, images_name, family);
    labels.expect_u32("magic number", kLabelsMagic);
    images.expect_u32("magic number", kImagesMagic);
    const std::size_t count = labels.read_count();
    const std::size_t image_count = images.read_count();
    if (image_count != count) {
        images.fail("count at byte 4 is {} images, but {} has {} labels", image_count, labels_name,
                    count);
    }
    images.expect_u32("height", kShape.height);
    images.expect_u32("width", kShape.width);

    ImageSet set{kShape, {}, labels.read_rest(count)};
    const auto wrong = std::find_if(set.labels.begin(), set.labels.end(),
                                    [](std::uint8_t label) { return label >= kClasses; });
    if (wrong != set.labels.end()) {
        labels.fail("label {} at byte {}, expected 0 to {}", *wrong,
                    8 + (wrong - set.labels.begin()), kClasses - 1);
    }
    set.pixels = images.read_rest(count * kShape.size());
    return set;
}

}  // namespace

Dataset load_idx(const std::filesystem::path& folder, const IdxFamily& family) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
        throw Error(ExitCode::kData, "{} folder '{}' is not a folder; {}", family.name,
                    folder.string(), family.next_step);
    }
    const std::filesystem::path nested = folder / family.name;
    const std::filesystem::path& home =
        std::filesystem::is_directory(nested, ignored) ? nested : folder;
    return {std::string(family.name),
            home.string(),
            read_set(home, family, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
            read_set(home, family, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
            {family.mean},
            {family.deviation}};
}

}  // namespace dp::core
