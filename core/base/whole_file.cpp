#include "core/base/whole_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

/// Makes a rename in `folder` outlast a power cut. No failure is reported: the new file is in place
/// and complete, and some file systems cannot flush a folder.
void flush_folder(const std::filesystem::path& folder) noexcept {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

WholeFile::WholeFile(std::filesystem::path file)
    : file_(std::move(file)), temporary_(temporary_name(file_, ::getpid())) {
    // A process with our number may have been killed and have left one. O_EXCL then makes sure that
    // what we write to is ours, and no link that somebody put there.
    ::unlink(temporary_.c_str());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(errno);
}

WholeFile::~WholeFile() {
    close_descriptor();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void WholeFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(errno);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

void WholeFile::commit() {
    // Before the rename: otherwise a power cut could leave the new name on an empty file.
    if (::fsync(descriptor_) != 0) fail(errno);
    close_descriptor();
    if (std::rename(temporary_.c_str(), file_.c_str()) != 0) fail(errno);
    temporary_.clear();
    flush_folder(file_.has_parent_path() ? file_.parent_path() : ".");
}

std::filesystem::path WholeFile::temporary_name(const std::filesystem::path& file, pid_t writer) {
    std::filesystem::path name = file;
    name += ".tmp-" + std::to_string(writer);
    return name;
}

void WholeFile::close_descriptor() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

void WholeFile::fail(int reason) const {
    throw Error(ExitCode::kData,
                "cannot write {}: {}; a file of that name is as it was: make room, or choose a "
                "folder that exists and that you may write to",
                file_.string(), std::generic_category().message(reason));
}

}  // namespace dp::core
