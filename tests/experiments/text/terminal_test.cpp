// Lines that fit a terminal.
#include "experiments/text/terminal.hpp"

#include <string>

#include "tests/support/catch.hpp"

using dp::experiments::wrap;

TEST_CASE("a line is broken at spaces and no word is cut") {
    CHECK(wrap("", 10) == "");
    CHECK(wrap("one two", 7) == "one two");
    CHECK(wrap("one two three", 7) == "one two\nthree");
    CHECK(wrap("one two three", 8) == "one two\nthree");
    CHECK(wrap("one two three", 3) == "one\ntwo\nthree");
    CHECK(wrap("a longest-of-all word", 6) == "a\nlongest-of-all\nword");
    CHECK(wrap("first line\nand second\n", 6) == "first\nline\nand\nsecond\n");
    CHECK(wrap("ends in spaces    ", 14) == "ends in spaces    ");
}

TEST_CASE("what follows a broken line begins below the second column of its text") {
    CHECK(wrap("speed     4,665 images/s over all workers", 32) ==
          "speed     4,665 images/s over\n          all workers");
    CHECK(wrap("  --quiet     Only the table and its summary", 34) ==
          "  --quiet     Only the table and\n              its summary");
    CHECK(wrap("              Only the table and its summary", 34) ==
          "              Only the table and\n              its summary");
    CHECK(wrap("speed     averyveryverylongwordwithoutspaces", 32) ==
          "speed     averyveryverylongwordwithoutspaces");
    // Too narrow for two columns.
    CHECK(wrap("speed     4,665 images/s", 20) == "speed     4,665\nimages/s");
}
