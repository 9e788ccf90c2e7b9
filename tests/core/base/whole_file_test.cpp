// A file is the previous one until commit() and the new one after it, whatever becomes of the
// writer.
#include "core/base/whole_file.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

namespace {

namespace fs = std::filesystem;
using dp::core::WholeFile;
using dp::tests::TemporaryFolder;
using dp::tests::write_file;

void append(WholeFile& file, std::string_view text) { file.write(std::as_bytes(std::span(text))); }

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("a file changes at commit, all at once") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "file";
    write_file(path, {'o', 'l', 'd'});
    WholeFile file(path);
    append(file, "ne");
    append(file, "w");
    REQUIRE(text_of(path) == "old");
    file.commit();
    REQUIRE(text_of(path) == "new");
    REQUIRE_FALSE(fs::exists(WholeFile::temporary_name(path, ::getpid())));
}

TEST_CASE("a file that is not committed leaves no trace") {
    const TemporaryFolder folder;
    { WholeFile file(folder.path() / "file"); }
    REQUIRE(fs::is_empty(folder.path()));
}

TEST_CASE("a killed writer leaves the previous file, and a temporary one of a known name") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "file";
    write_file(path, {'o', 'l', 'd'});
    const pid_t writer = ::fork();
    if (writer == 0) {
        WholeFile file(path);
        append(file, "new");
        ::raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(text_of(path) == "old");
    REQUIRE(text_of(WholeFile::temporary_name(path, writer)) == "new");
}

TEST_CASE("what lies under the temporary name is replaced, and a link there is not followed") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "file";
    write_file(folder.path() / "other", {'o'});
    fs::create_symlink("other", WholeFile::temporary_name(path, ::getpid()));
    WholeFile file(path);
    append(file, "new");
    file.commit();
    REQUIRE(text_of(path) == "new");
    REQUIRE(text_of(folder.path() / "other") == "o");
}

}  // namespace
