#include "multiproc/mpi/load_module.hpp"

#include <dlfcn.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "multiproc/mpi/module_version.hpp"

namespace dp::multiproc {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;

constexpr const char* kRemedy =
    "install Debian's openmpi-bin and libopenmpi-dev, then configure and build the program again";

fs::path module_file() {
    std::error_code error;
    return fs::read_symlink("/proc/self/exe", error).parent_path() / "libdp_mpi.so";
}

}  // namespace

void require_mpi_module() {
    std::error_code error;
    if (fs::exists(module_file(), error)) return;
    throw Error(ExitCode::kUsage, "--mode mpi needs {}, which was not built: {}",
                module_file().string(), kRemedy);
}

std::unique_ptr<MpiWorld> open_mpi_world() {
    require_mpi_module();
    // Never unloaded: MPI leaves threads and handlers behind. Global, because Open MPI loads parts
    // of itself that look for its symbols.
    void* const module = dlopen(module_file().c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (module == nullptr) {
        throw Error(ExitCode::kUsage, "--mode mpi: {}: {}", dlerror(), kRemedy);
    }
    const auto open = reinterpret_cast<OpenMpiWorld>(dlsym(module, kOpenMpiWorld));
    std::unique_ptr<MpiWorld> world(open == nullptr ? nullptr : open(kMpiModuleVersion));
    if (world) return world;
    throw Error(ExitCode::kUsage,
                "{} is not of this program, which is version {}: build the whole program again",
                module_file().string(), kMpiModuleVersion);
}

}  // namespace dp::multiproc
