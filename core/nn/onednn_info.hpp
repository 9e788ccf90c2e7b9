// The oneDNN that this process runs.
#pragma once

#include <string>

namespace dp::core {

struct OneDnnInfo {
    std::string version;       // "2.6.3"
    std::string runtime;       // of its threads: "OpenMP"
    std::string isa;           // the widest instruction set it will use here: "avx512_core_bf16"
    bool native_bf16 = false;  // that set multiplies bfloat16 (avx512_bf16 or AMX)
};

/// Returns what the loaded library says, not the headers. Call in a worker, never in the process
/// that forks.
OneDnnInfo onednn_info();

}  // namespace dp::core
