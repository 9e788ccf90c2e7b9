// The parts of made-up machines; their CPUs are in binding_test.cpp.
#include "experiments/machine/topology.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace dp;
using experiments::ask_hwloc;
using experiments::Topology;
using Cpus = std::vector<int>;
using Json = nlohmann::ordered_json;

TEST_CASE("the machine's parts are counted, also those that the program may not use") {
    const Topology topology = ask_hwloc(Cpus{0},
                                        "package:1 group:2 numa:1 l3:1(size=33554432) core:2 "
                                        "l2:1(size=1048576) l1d:1(size=49152) pu:2");
    CHECK(topology.packages == 1);
    CHECK(topology.numa_nodes == 2);
    CHECK(topology.cores == 4);
    CHECK(topology.threads_per_core == 2);
    CHECK(topology.caches == std::vector<experiments::Cache>{{1, "Data", 48 << 10, 2},
                                                             {2, "Unified", 1 << 20, 2},
                                                             {3, "Unified", 32 << 20, 4}});
    Json context;
    experiments::add_topology(context, topology);
    CHECK(context.at("sockets") == 1);
    CHECK(context.at("caches").at(2).at("shared_by_cpus") == 4);
    CHECK(experiments::describe_caches(context.at("caches")) ==
          "L1d 48 KiB for 2 CPUs, L2 1 MiB for 2 CPUs, L3 32 MiB for 4 CPUs");
    CHECK(experiments::describe_caches(Json()).empty());
    CHECK(Json(topology).get<Topology>().caches == topology.caches);
}

TEST_CASE("what hwloc does not know is null and not invented") {
    const Topology topology = ask_hwloc(Cpus{0}, "pu:2");
    Json context;
    experiments::add_topology(context, topology);
    for (const char* name : {"physical_cores", "threads_per_core", "sockets", "caches"}) {
        INFO(name);
        CHECK(context.at(name).is_null());
    }
    CHECK(topology.close == Cpus{0});
}
