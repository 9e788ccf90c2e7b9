#include "core/nn/onednn_info.hpp"

#include <fmt/format.h>

#include <dnnl.hpp>

namespace dp::core {
namespace {

std::string isa_name(dnnl::cpu_isa isa) {
    using Isa = dnnl::cpu_isa;
    switch (isa) {
        case Isa::sse41:
            return "sse41";
        case Isa::avx:
            return "avx";
        case Isa::avx2:
            return "avx2";
        case Isa::avx2_vnni:
            return "avx2_vnni";
        case Isa::avx512_core:
            return "avx512_core";
        case Isa::avx512_core_vnni:
            return "avx512_core_vnni";
        case Isa::avx512_core_bf16:
            return "avx512_core_bf16";
        case Isa::avx512_core_amx:
            return "avx512_core_amx";
#if DNNL_VERSION_MAJOR >= 3
        case Isa::avx2_vnni_2:
            return "avx2_vnni_2";
        case Isa::avx512_core_fp16:
            return "avx512_core_fp16";
        case Isa::avx512_core_amx_fp16:
            return "avx512_core_amx_fp16";
#endif
        default:
            return fmt::format("isa {:#x}", static_cast<unsigned>(isa));
    }
}

std::string runtime_name(unsigned runtime) {
    switch (runtime) {
        case DNNL_RUNTIME_OMP:
            return "OpenMP";
        case DNNL_RUNTIME_TBB:
            return "TBB";
        case DNNL_RUNTIME_SEQ:
            return "sequential";
        case DNNL_RUNTIME_THREADPOOL:
            return "thread pool";
        default:
            return "unknown";
    }
}

}  // namespace

OneDnnInfo onednn_info() {
    const dnnl_version_t& version = *dnnl_version();
    const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
    // The values are sets of bits, of which a wider set holds all: they have no order. Without
    // these oneDNN emulates bfloat16, five times slower, and does not say so.
    constexpr auto kNeeded = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return {fmt::format("{}.{}.{}", version.major, version.minor, version.patch),
            runtime_name(version.cpu_runtime), isa_name(isa),
            (static_cast<unsigned>(isa) & kNeeded) == kNeeded};
}

}  // namespace dp::core
