// Which CPUs workers get, on made-up machines.
#include "experiments/machine/binding.hpp"

#include <numeric>

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::ask_hwloc;
using experiments::bound_cpus;
using experiments::Topology;

namespace {

using Cpus = std::vector<int>;

Cpus first(int count) {
    Cpus cpus(static_cast<std::size_t>(count));
    std::iota(cpus.begin(), cpus.end(), 0);
    return cpus;
}

std::string refusal(const std::string& bind, const Topology& topology) {
    const auto error = tests::error_of([&] { bound_cpus(bind, topology); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    return error->what();
}

}  // namespace

TEST_CASE("close takes neighbouring cores and gives each one worker before a second") {
    // CPUs 0 and 1 are threads of one core, cores 0 to 3 a package.
    const Topology topology = ask_hwloc(first(16), "package:2 core:4 pu:2");
    CHECK(topology.close == Cpus{0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15});
    CHECK(bound_cpus("close", topology) == topology.close);
}

TEST_CASE("spread takes packages in turn, then caches, then cores, and threads of a core last") {
    const Topology two = ask_hwloc(first(16), "package:2 core:4 pu:2");
    CHECK(two.spread == Cpus{0, 8, 2, 10, 4, 12, 6, 14, 1, 9, 3, 11, 5, 13, 7, 15});
    CHECK(bound_cpus("spread", two) == two.spread);
    const Topology caches = ask_hwloc(first(8), "package:2 l3:2 core:2 pu:1");
    CHECK(caches.spread == Cpus{0, 4, 2, 6, 1, 5, 3, 7});
    const Topology nodes = ask_hwloc(first(8), "package:1 group:2 numa:1 core:4 pu:1");
    CHECK(nodes.spread == Cpus{0, 4, 1, 5, 2, 6, 3, 7});
}

TEST_CASE("the machine may number its CPUs as it likes") {
    // As Linux usually does: the second threads of all cores come last.
    const Topology topology = ask_hwloc(first(8), "package:2 core:2 pu:2(indexes=0,4,1,5,2,6,3,7)");
    CHECK(topology.close == Cpus{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(topology.spread == Cpus{0, 2, 1, 3, 4, 6, 5, 7});
}

TEST_CASE("workers get no CPU that the program may not use") {
    // Of package 0 two threads of two cores, of package 1 a core and a half.
    const Topology topology = ask_hwloc(Cpus{4, 6, 8, 9, 10}, "package:2 core:4 pu:2");
    CHECK(topology.close == Cpus{4, 6, 8, 10, 9});
    CHECK(topology.spread == Cpus{4, 8, 6, 10, 9});
    CHECK(bound_cpus("10,4", topology) == Cpus{10, 4});
    CHECK(tests::holds(refusal("8-10,12", topology), "names CPU 12"));
    CHECK(tests::holds(refusal("8-10,12", topology), "choose from 4,6,8-10"));
    // A CPU that hwloc does not know is there all the same.
    CHECK(ask_hwloc(Cpus{1, 2}, "core:2 pu:1").close == Cpus{1, 2});
}

TEST_CASE("a list keeps its order and may name a CPU twice") {
    const Topology topology = ask_hwloc(first(8), "core:8 pu:1");
    CHECK(bound_cpus("5,0-2,5", topology) == Cpus{5, 0, 1, 2, 5});
    CHECK(bound_cpus("none", topology).empty());
    CHECK(experiments::cpu_list(Cpus{0, 1, 2, 5, 7, 8}) == "0-2,5,7-8");
}

TEST_CASE("what is no binding is refused with what would be one") {
    for (const char* bind :
         {"", "sideways", "0-", "-1", "3-1", "0,,1", "0;1", "99999999999", "0-9000"}) {
        INFO(bind);
        const auto error = tests::error_of([&] { experiments::check_binding(bind); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kUsage);
        CHECK(tests::holds(error->what(), "--bind '" + std::string(bind) + "' is neither none"));
        CHECK(tests::holds(error->what(), "0,2-3"));
    }
}

TEST_CASE("this machine's orders hold each CPU of the program once") {
    const Cpus allowed = core::started_cpus();
    const Topology topology = experiments::read_topology(allowed);
    for (Cpus order : {topology.close, topology.spread}) {
        std::ranges::sort(order);
        CHECK(order == allowed);
    }
}
