// The questions that a mode's row answers.
#include "experiments/modes.hpp"

#include "tests/support/catch.hpp"

using namespace dp;
using experiments::Mode;

TEST_CASE(
    "a mode answers for itself: who is compared with, who exchanges, how many CPUs it takes") {
    CHECK(experiments::modes_that(&Mode::is_baseline) == std::vector<std::string>{"serial"});
    CHECK(experiments::modes_that(&Mode::exchanges) ==
          std::vector<std::string>{"threads", "procs", "hybrid", "mpi", "hybrid-mpi"});
    CHECK(experiments::modes_that(&Mode::timed_alone) ==
          std::vector<std::string>{"threads", "procs", "hybrid", "mpi"});
    CHECK(experiments::modes_that(&Mode::is_launched) ==
          std::vector<std::string>{"mpi", "hybrid-mpi"});
    CHECK(experiments::find_mode("serial").cpus(4) == 1);
    CHECK(experiments::find_mode("procs").cpus(4) == 4);
    for (const Mode& mode : experiments::modes()) {
        INFO(mode.name);
        CHECK(&experiments::mode_of(mode.name) == &mode);
        for (const Mode& other : experiments::modes()) {
            CHECK((&mode == &other || (mode.color != other.color && mode.mark != other.mark)));
        }
    }
}

TEST_CASE("a mode of a later program exchanges, is no baseline and has no row") {
    const Mode& later = experiments::mode_of("a later mode");
    CHECK(later.exchanges);
    CHECK_FALSE(later.is_baseline);
    CHECK(later.cpus(4) == 4);
    CHECK_THROWS_WITH(experiments::find_mode("a later mode"),
                      Catch::Contains("choose from serial"));
}

TEST_CASE("designs are of one mode whose names begin with it, also of a later program") {
    CHECK(experiments::same_mode("threads", "threads/tree"));
    CHECK(experiments::same_mode("later/tree", "later/ring"));
    CHECK_FALSE(experiments::same_mode("threads/tree", "procs/tree"));
    CHECK_FALSE(experiments::same_mode("hybrid", "hybrid-mpi"));
    CHECK_FALSE(experiments::same_mode("later", "latest"));
}

TEST_CASE("a column of designs is as wide as the longest") {
    CHECK(experiments::design_width(std::vector<std::string>{"serial"}) == 8);
    CHECK(experiments::design_width(std::vector<std::string>{"threads", "threads/in-place-tree"}) ==
          21);
}

TEST_CASE("serial plays every reduction that states its order, in that order") {
    const Mode& serial = experiments::find_mode("serial");
    for (const Mode& mode : experiments::modes()) {
        if (!mode.exchanges || mode.has_teams) continue;  // groups are asked for by their name
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            INFO(mode.name << " " << reduction.name);
            const auto played = serial.reduction_for(reduction.name);
            const bool ordered = reduction.order != core::SumOrder::kUnordered;
            REQUIRE(played.has_value() == ordered);
            if (ordered) CHECK(played->order == reduction.order);
            CHECK(mode.reduction_for(reduction.name)->name == reduction.name);
        }
    }
    CHECK_FALSE(experiments::find_mode("procs").reduction_for("in-place"));
}

TEST_CASE("sums without a fixed order promise bits with one worker alone") {
    CHECK(experiments::has_order("threads", "atomic", 1));
    CHECK_FALSE(experiments::has_order("threads", "atomic", 2));
    CHECK(experiments::has_order("threads", "tree", 2));
    CHECK(experiments::has_order("serial", "none", 2));
}
