#include "multiproc/mpi/place.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace dp::multiproc {
namespace {

std::optional<std::size_t> read_count(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits(text);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc() || end != digits.end()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<MpiPlace> mpi_place() {
    struct Variables {
        const char* rank;
        const char* world_size;
        const char* local_size;
        const char* local_rank;
    };
    // The last is srun's, which tells PMIx ranks no size.
    constexpr std::array kVariables{
        Variables{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE",
                  "OMPI_COMM_WORLD_LOCAL_RANK"},
        Variables{"PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID"},
        Variables{"PMIX_RANK", "SLURM_NTASKS", "MPI_LOCALNRANKS", "SLURM_LOCALID"}};
    for (const Variables& names : kVariables) {
        const auto rank = read_count(names.rank);
        const auto world_size = read_count(names.world_size);
        if (!rank || !world_size || *rank >= *world_size) continue;
        return MpiPlace{*rank, *world_size, read_count(names.local_size).value_or(*world_size),
                        read_count(names.local_rank).value_or(*rank)};
    }
    return std::nullopt;
}

}  // namespace dp::multiproc
