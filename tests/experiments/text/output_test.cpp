#include "experiments/text/output.hpp"

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "experiments/text/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

namespace experiments = dp::experiments;

TEST_CASE("no control character of a name reaches a terminal") {
    CHECK(experiments::printable("\x1b[2J\r\x7f") == "?[2J??");
    // The sequence introducer of one character, U+009B, is as good as ESC [.
    CHECK(experiments::printable("a\xC2\x9B"
                                 "2Jb\xC2\x80") == "a?2Jb?");
    CHECK(experiments::printable("a\tb\nc") == "a\tb\nc");
    CHECK(experiments::printable("\xC2\xA0 \xC3\xA9 \xC2") == "\xC2\xA0 \xC3\xA9 \xC2");
}

TEST_CASE("a file is written into a folder that is not there yet") {
    const dp::tests::TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "new" / "deep" / "a.json";
    experiments::write_json(file, nlohmann::ordered_json{{"a", 1}});
    CHECK(experiments::read_json(file).at("a") == 1);
}
