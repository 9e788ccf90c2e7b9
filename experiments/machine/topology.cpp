#include "experiments/machine/topology.hpp"

#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/base/optional_json.hpp"
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
        check(hwloc_topology_set_icache_types_filter(topology_, HWLOC_TYPE_FILTER_KEEP_ALL));
        if (!synthetic.empty()) check(hwloc_topology_set_synthetic(topology_, synthetic.c_str()));
        check(hwloc_topology_load(topology_));
    }
    ~LoadedTopology() {
        if (topology_ != nullptr) hwloc_topology_destroy(topology_);
    }
    LoadedTopology(const LoadedTopology&) = delete;
    LoadedTopology& operator=(const LoadedTopology&) = delete;

    [[nodiscard]] hwloc_obj_t root() const { return hwloc_get_root_obj(topology_); }
    [[nodiscard]] hwloc_obj_t first(hwloc_obj_type_t type) const {
        return hwloc_get_obj_by_type(topology_, type, 0);
    }
    /// Parts of `type`; none where hwloc knows none.
    [[nodiscard]] std::optional<std::size_t> count(hwloc_obj_type_t type) const {
        const int parts = hwloc_get_nbobjs_by_type(topology_, type);
        return parts > 0 ? std::optional(static_cast<std::size_t>(parts)) : std::nullopt;
    }

private:
    static void check(int result) {
        if (result == 0) return;
        throw core::Error(core::ExitCode::kResources,
                          "hwloc cannot read the machine's topology ({}): see what lstopo says",
                          std::strerror(errno));
    }

    hwloc_topology_t topology_ = nullptr;
};

std::size_t cpus_in(hwloc_obj_t object) {
    return static_cast<std::size_t>(hwloc_bitmap_weight(object->cpuset));
}

std::optional<std::size_t> threads_per_core(const LoadedTopology& machine) {
    std::optional<std::size_t> most;
    for (auto core = machine.first(HWLOC_OBJ_CORE); core != nullptr; core = core->next_cousin) {
        most = std::max(most, std::optional(cpus_in(core)));
    }
    return most;
}

/// Those that hold `cpu`.
std::optional<std::vector<Cache>> caches_of(hwloc_obj_t cpu) {
    std::vector<Cache> caches;
    for (hwloc_obj_t object = cpu; object != nullptr; object = object->parent) {
        if (hwloc_obj_type_is_cache(object->type) == 0) continue;
        const auto& cache = object->attr->cache;
        if (cache.size == 0) continue;
        const char* const type = cache.type == HWLOC_OBJ_CACHE_UNIFIED ? "Unified"
                                 : cache.type == HWLOC_OBJ_CACHE_DATA  ? "Data"
                                                                       : "Instruction";
        caches.push_back({static_cast<int>(cache.depth), type, cache.size, cpus_in(object)});
    }
    if (caches.empty()) return std::nullopt;
    std::ranges::sort(caches, {},
                      [](const Cache& each) { return std::pair(each.level, each.type); });
    return caches;
}

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
        return cpus.empty() ? std::vector<Core>() : std::vector<Core>{std::move(cpus)};
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
    const auto order = [&](auto join) {
        return cpu_order(cores_below(machine.root(), allowed, join), allowed);
    };
    return {.caches = caches_of(machine.first(HWLOC_OBJ_PU)),
            .cores = machine.count(HWLOC_OBJ_CORE),
            .threads_per_core = threads_per_core(machine),
            .packages = machine.count(HWLOC_OBJ_PACKAGE),
            .numa_nodes = machine.count(HWLOC_OBJ_NUMANODE),
            .close = order(one_after_the_other<Core>),
            .spread = order(in_turn<Core>)};
}

Topology read_topology(std::span<const int> allowed) {
    multiproc::GroupCallbacks ask;
    ask.name = [](std::size_t) { return std::string("the process that asks hwloc"); };
    ask.work = [&](std::size_t) { return Json(ask_hwloc(allowed)).dump(); };
    return Json::parse(multiproc::run_process_group(1, ask).front()).get<Topology>();
}

void add_topology(Json& context, const Topology& topology) {
    context["physical_cores"] = topology.cores;
    context["threads_per_core"] = topology.threads_per_core;
    context["sockets"] = topology.packages;
    context["numa_nodes"] = topology.numa_nodes;
    Json& caches = context["caches"] = nullptr;
    for (const Cache& cache : topology.caches.value_or(std::vector<Cache>())) {
        caches.push_back({{"level", cache.level},
                          {"type", cache.type},
                          {"bytes", cache.bytes},
                          {"shared_by_cpus", cache.shared_by_cpus}});
    }
}

std::string describe_caches(const Json& caches) {
    // Of a file, which may say anything.
    const auto number = [](const Json& cache, const char* name) {
        const Json value = cache.value(name, Json());
        return value.is_number_integer() ? value.get<std::uint64_t>() : 0;
    };
    std::vector<std::string> texts;
    for (const Json& cache : caches) {
        if (!cache.is_object()) continue;
        const Json type = cache.value("type", Json());
        const std::uint64_t kib = number(cache, "bytes") >> 10;
        const std::uint64_t cpus = number(cache, "shared_by_cpus");
        texts.push_back(fmt::format(
            "L{}{} {}{}", number(cache, "level"),
            type == "Data"          ? "d"
            : type == "Instruction" ? "i"
                                    : "",
            kib % 1024 == 0 ? fmt::format("{} MiB", kib >> 10) : fmt::format("{} KiB", kib),
            cpus > 1 ? fmt::format(" for {} CPUs", cpus) : ""));
    }
    return core::join(texts);
}

void to_json(Json& json, const Topology& topology) {
    add_topology(json, topology);
    json["close"] = topology.close;
    json["spread"] = topology.spread;
}

void from_json(const Json& json, Topology& topology) {
    json.at("physical_cores").get_to(topology.cores);
    json.at("threads_per_core").get_to(topology.threads_per_core);
    json.at("sockets").get_to(topology.packages);
    json.at("numa_nodes").get_to(topology.numa_nodes);
    topology.caches.reset();
    for (const Json& cache : json.at("caches")) {
        if (!topology.caches) topology.caches.emplace();
        topology.caches->push_back(
            {cache.at("level"), cache.at("type"), cache.at("bytes"), cache.at("shared_by_cpus")});
    }
    json.at("close").get_to(topology.close);
    json.at("spread").get_to(topology.spread);
}

}  // namespace dp::experiments
