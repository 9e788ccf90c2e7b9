// Reads the six CIFAR-10 files block by block, straight from the system: a block stays in the cache
// while its records are split, so the pixels cross memory once. The buffers belong to the caller's
// Dataset. Layout: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
#include "core/data/cifar10.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

constexpr ImageShape kShape{3, 32, 32};
constexpr std::size_t kRecordBytes = 1 + kShape.size();
constexpr std::size_t kBlockRecords = 64;  // 192 KiB: within a core's second-level cache
constexpr std::array<const char*, 5> kTrainFiles = {"data_batch_1.bin", "data_batch_2.bin",
                                                    "data_batch_3.bin", "data_batch_4.bin",
                                                    "data_batch_5.bin"};
constexpr const char* kTestFile = "test_batch.bin";
constexpr std::string_view kFetch = "run experiments/get_data.sh cifar10, or pass --data-dir";
constexpr std::string_view kUnpackAgain =
    "remove the folder and run experiments/get_data.sh cifar10 again";

/// An open batch file whose size has been checked.
class BatchFile {
public:
    explicit BatchFile(const std::filesystem::path& path)
        : path_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (descriptor_ < 0) {
            throw Error(ExitCode::kData, "cannot open {}: {}; {}", path_, std::strerror(errno),
                        kFetch);
        }
        try {
            records_ = checked_size() / kRecordBytes;
        } catch (...) {
            ::close(descriptor_);
            throw;
        }
    }
    BatchFile(BatchFile&& other) noexcept
        : path_(std::move(other.path_)),
          descriptor_(std::exchange(other.descriptor_, -1)),
          records_(other.records_) {}
    BatchFile& operator=(BatchFile&&) = delete;
    ~BatchFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    [[nodiscard]] std::size_t records() const { return records_; }

    /// Writes the file's records to images [first, first + records()) of `set`.
    void read_into(ImageSet& set, std::size_t first) {
        std::vector<std::uint8_t> block(kBlockRecords * kRecordBytes);
        for (std::size_t done = 0; done < records_; done += kBlockRecords) {
            const std::size_t count = std::min(kBlockRecords, records_ - done);
            read_exactly(std::span(block).first(count * kRecordBytes), done * kRecordBytes);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint8_t* record = block.data() + i * kRecordBytes;
                if (record[0] >= kClasses) {
                    throw Error(ExitCode::kData, "{}: label {} at byte {}, expected 0 to {}; {}",
                                path_, record[0], (done + i) * kRecordBytes, kClasses - 1,
                                kUnpackAgain);
                }
                const std::size_t image = first + done + i;
                set.labels[image] = record[0];
                std::memcpy(set.pixels.data() + image * kShape.size(), record + 1, kShape.size());
            }
        }
    }

private:
    [[nodiscard]] std::size_t checked_size() const {
        struct stat status {};
        if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
            throw Error(ExitCode::kData, "{} is not a regular file; {}", path_, kUnpackAgain);
        }
        const auto bytes = static_cast<std::size_t>(status.st_size);
        if (bytes == 0 || bytes % kRecordBytes != 0) {
            throw Error(ExitCode::kData,
                        "{} has {} bytes, expected a positive multiple of {} (the original has "
                        "30730000): truncated? {}",
                        path_, bytes, kRecordBytes, kUnpackAgain);
        }
        return bytes;
    }

    void read_exactly(std::span<std::uint8_t> dst, std::size_t offset) {
        std::size_t done = 0;
        while (done < dst.size()) {
            const ssize_t count = ::read(descriptor_, dst.data() + done, dst.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) {
                throw Error(ExitCode::kData, "{}: reading at byte {} failed: {}; {}", path_,
                            offset + done,
                            count == 0 ? "the file was cut short meanwhile" : std::strerror(errno),
                            kUnpackAgain);
            }
            done += static_cast<std::size_t>(count);
        }
    }

    std::string path_;
    int descriptor_;
    std::size_t records_ = 0;
};

ImageSet read_files(std::vector<BatchFile>& files) {
    std::size_t count = 0;
    for (const BatchFile& file : files) count += file.records();

    ImageSet set{kShape, {}, {}};
    set.pixels.resize(count * kShape.size());
    set.labels.resize(count);
    std::size_t first = 0;
    for (BatchFile& file : files) {
        file.read_into(set, first);
        first += file.records();
    }
    return set;
}

}  // namespace

Dataset load_cifar10(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
        throw Error(ExitCode::kData, "CIFAR-10 folder '{}' is not a folder; {}", folder.string(),
                    kFetch);
    }
    const std::filesystem::path nested = folder / "cifar-10-batches-bin";
    const std::filesystem::path& home =
        std::filesystem::is_directory(nested, ignored) ? nested : folder;

    // All six are opened and sized before the first is read: a missing test file costs no wait.
    std::vector<BatchFile> train;
    for (const char* name : kTrainFiles) train.emplace_back(home / name);
    std::vector<BatchFile> test;
    test.emplace_back(home / kTestFile);

    return {"cifar10",
            home.string(),
            read_files(train),
            read_files(test),
            {0.4914F, 0.4822F, 0.4465F},
            {0.2470F, 0.2435F, 0.2616F}};
}

}  // namespace dp::core
