#include "core/train/bind_ranks.hpp"

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "core/base/join.hpp"

namespace dp::core {

void bind_ranks(const Job& job, std::size_t first, std::size_t count) {
    if (job.cpus.empty()) return;
    std::vector<int> cpus;
    for (std::size_t rank = first; rank < first + count; ++rank) {
        cpus.push_back(job.cpus[rank % job.cpus.size()]);
    }
    if (run_on(cpus)) return;
    throw Error(ExitCode::kResources,
                "worker {} cannot be bound to CPU {}: the system refuses; run with --bind none",
                first, join(cpus));
}

}  // namespace dp::core
