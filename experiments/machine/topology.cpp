#include "experiments/machine/topology.hpp"

#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "multiproc/process_group.hpp"

namespace dp::experiments {
namespace {

using Json = nlohmann::ordered_json;
/// The CPUs of a core.
using Core = std::vector<int>;

class LoadedTopology {
public:
    explicit LoadedTopology(const std::string& synthetic) {
        check(hwloc_topology_init(&topology_));
        // The whole machine: what of it is ours the caller says.
        check(hwloc_topology_set_flags(topology_, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED));
        if (!synthetic.empty()) check(hwloc_topology_set_synthetic(topology_, synthetic.c_str()));
        check(hwloc_topology_load(topology_));
    }
    ~LoadedTopology() {
        if (topology_ != nullptr) hwloc_topology_destroy(topology_);
    }
    LoadedTopology(const LoadedTopology&) = delete;
    LoadedTopology& operator=(const LoadedTopology&) = delete;

    [[nodiscard]] hwloc_obj_t root() const { return hwloc_get_root_obj(topology_); }

private:
    static void check(int result) {
        if (result == 0) return;
        throw core::Error(core::ExitCode::kResources,
                          "hwloc cannot read the machine's topology ({}): see what lstopo says",
                          std::strerror(errno));
    }

    hwloc_topology_t topology_ = nullptr;
};

Core cpus_of(hwloc_obj_t object, std::span<const int> allowed) {
    Core cpus;
    for (const int cpu : allowed) {
        if (hwloc_bitmap_isset(object->cpuset, static_cast<unsigned>(cpu)) != 0) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

template <typename Item>
std::vector<Item> one_after_the_other(const std::vector<std::vector<Item>>& groups) {
    std::vector<Item> all;
    for (const auto& group : groups) std::ranges::copy(group, std::back_inserter(all));
    return all;
}

/// One of each group, then a second of each, and so on.
template <typename Item>
std::vector<Item> in_turn(const std::vector<std::vector<Item>>& groups) {
    std::size_t most = 0;
    for (const auto& group : groups) most = std::max(most, group.size());
    std::vector<Item> all;
    for (std::size_t i = 0; i < most; ++i) {
        for (const auto& group : groups) {
            if (i < group.size()) all.push_back(group[i]);
        }
    }
    return all;
}

/// The cores below `object` that have allowed CPUs; `join` puts together those of its parts, which
/// are packages, memory nodes, caches, whatever the machine has between itself and its cores.
std::vector<Core> cores_below(hwloc_obj_t object, std::span<const int> allowed,
                              std::vector<Core> (*join)(const std::vector<std::vector<Core>>&)) {
    if (object->type == HWLOC_OBJ_CORE || object->type == HWLOC_OBJ_PU) {
        Core cpus = cpus_of(object, allowed);
        return cpus.empty() ? std::vector<Core>() : std::vector{std::move(cpus)};
    }
    std::vector<std::vector<Core>> parts;
    for (unsigned i = 0; i < object->arity; ++i) {
        auto part = cores_below(object->children[i], allowed, join);
        if (!part.empty()) parts.push_back(std::move(part));
    }
    return join(parts);
}

/// A CPU of each core, then a second of those that have one, and so on; last those of `allowed`
/// that hwloc does not know.
std::vector<int> cpu_order(const std::vector<Core>& cores, std::span<const int> allowed) {
    std::vector<int> order = in_turn(cores);
    for (const int cpu : allowed) {
        if (std::ranges::find(order, cpu) == order.end()) order.push_back(cpu);
    }
    return order;
}

}  // namespace

Topology ask_hwloc(std::span<const int> allowed, const std::string& synthetic) {
    const LoadedTopology machine(synthetic);
    return {cpu_order(cores_below(machine.root(), allowed, one_after_the_other<Core>), allowed),
            cpu_order(cores_below(machine.root(), allowed, in_turn<Core>), allowed)};
}

Topology read_topology(std::span<const int> allowed) {
    multiproc::GroupCallbacks ask;
    ask.name = [](std::size_t) { return std::string("the process that asks hwloc"); };
    ask.work = [&](std::size_t) { return Json(ask_hwloc(allowed)).dump(); };
    return Json::parse(multiproc::run_process_group(1, ask).front()).get<Topology>();
}

void to_json(Json& json, const Topology& topology) {
    json = {{"close", topology.close}, {"spread", topology.spread}};
}

void from_json(const Json& json, Topology& topology) {
    json.at("close").get_to(topology.close);
    json.at("spread").get_to(topology.spread);
}

}  // namespace dp::experiments
