// The CPUs that a thread may run on. With OMP_PROC_BIND or OMP_PLACES set, libgomp binds the main
// thread as it is loaded, before main() begins, and processes that are forked later inherit that.
// So the program reads its CPUs before libraries start, and every worker, thread or process, gets
// all of them back, or those that it is bound to.
#pragma once

#include <span>
#include <vector>

namespace dp::core {

/// The CPUs that the program was started with, ascending; never empty.
std::vector<int> started_cpus();

/// The CPUs that the calling thread may run on, ascending; never empty.
std::vector<int> current_cpus();

/// Lets the calling thread run on started_cpus() again. Where the system has taken some of them
/// away since, it keeps those it has.
void restore_cpus() noexcept;

/// Lets the calling thread run on `cpus` alone, as threads that it starts will. Returns whether the
/// system allows all of them; if not, the thread may have moved to some.
[[nodiscard]] bool run_on(std::span<const int> cpus) noexcept;

}  // namespace dp::core
