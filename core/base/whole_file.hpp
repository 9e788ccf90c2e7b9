// A file that is written whole or not at all: under a temporary name first, then flushed to the
// disk and renamed. Whoever opens the final name finds the previous file or the new one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>

namespace dp::core {

/// The temporary file is removed by the destructor unless commit() succeeded.
/// Thread safety: one thread. Two threads of a process must not write the same file at once; two
/// processes may, and the last to commit wins.
class WholeFile {
public:
    /// Creates the temporary file beside `file`, in a folder that must exist.
    /// Every function but the last throws Error(kData) with the system's reason; `file` then is as
    /// it was before.
    explicit WholeFile(std::filesystem::path file);
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;
    ~WholeFile();

    /// Appends `bytes`.
    void write(std::span<const std::byte> bytes);

    /// Gives the file its name, replacing the previous one. Called once, as the last.
    void commit();

    /// The name that process `writer` uses until commit(). A writer that is killed leaves this file
    /// behind, and whoever supervises it may remove it.
    [[nodiscard]] static std::filesystem::path temporary_name(const std::filesystem::path& file,
                                                              pid_t writer);

private:
    void close_descriptor() noexcept;
    [[noreturn]] void fail(int reason) const;

    std::filesystem::path file_;
    std::filesystem::path temporary_;  // empty once it has become file_
    int descriptor_ = -1;
};

}  // namespace dp::core
