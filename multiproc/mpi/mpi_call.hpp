// Calls of MPI whose failure is an Error. Part of the module.
#pragma once

#include <mpi.h>

#include <string>

#include "core/base/error.hpp"

namespace dp::multiproc {

/// Throws Error(kWorkerDied) that names `call` when `code` says that it failed: what makes a call
/// of a running world fail is the loss of a peer.
inline void check_mpi(int code, const char* call) {
    if (code == MPI_SUCCESS) return;
    std::string text(MPI_MAX_ERROR_STRING, '\0');
    int length = 0;
    MPI_Error_string(code, text.data(), &length);
    text.resize(static_cast<std::size_t>(length));
    throw core::Error(core::ExitCode::kWorkerDied,
                      "{} failed ({}): another worker, or the network to it, is gone", call, text);
}

}  // namespace dp::multiproc
