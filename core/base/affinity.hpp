// The CPUs that a thread may run on. With OMP_PROC_BIND or OMP_PLACES set, libgomp binds the main
// thread as it is loaded, before main() begins, and processes that are forked later inherit that.
// So the program reads its CPUs before libraries start, and every worker, thread or process, gets
// all of them back.
#pragma once

#include <vector>

namespace dp::core {

/// The CPUs that the program was started with, ascending; never empty.
std::vector<int> started_cpus();

/// The CPUs that the calling thread may run on, ascending; never empty.
std::vector<int> current_cpus();

/// Lets the calling thread run on started_cpus() again. Where the system has taken some of them
/// away since, it keeps those it has.
void restore_cpus() noexcept;

}  // namespace dp::core
