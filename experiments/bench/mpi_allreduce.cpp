// MPI_Allreduce measured as `dp_compare allreduce` measures its reductions, on the same gradients
// and with the same table, to hold one against the other.
//
//   mpirun -np 2 dp_mpi_allreduce [--bytes B[,B...]] [--repetitions K]
//
// Stamps are of CLOCK_MONOTONIC, which all processes of a machine share, and are gathered on rank
// 0: MPI_Wtime need not agree between processes. All ranks must run on one machine.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <mpi.h>

#include "core/base/memory_block.hpp"
#include "experiments/allreduce/table.hpp"

namespace {

using namespace dp::experiments::allreduce;

struct Options {
    std::vector<std::size_t> bytes{kDefaultBytes.begin(), kDefaultBytes.end()};
    RoundLimits limits;
};

/// All ranks read the same arguments, so all leave here together.
[[noreturn]] void leave_with_usage(int rank) {
    if (rank == 0) {
        std::fputs(
            "dp_mpi_allreduce: usage: mpirun -np N dp_mpi_allreduce [--bytes B[,B...]] "
            "[--repetitions K], with B multiples of 4 up to 2 GiB and K from 1\n",
            stderr);
    }
    MPI_Finalize();
    std::exit(2);
}

std::vector<std::size_t> parse_list(std::string_view text, int rank) {
    std::vector<std::size_t> values;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        std::size_t value = 0;
        const auto parsed = std::from_chars(at, end, value);
        if (parsed.ec != std::errc{} || value == 0) leave_with_usage(rank);
        values.push_back(value);
        if (parsed.ptr == end) return values;
        if (*parsed.ptr != ',') leave_with_usage(rank);
        at = parsed.ptr + 1;
    }
}

Options parse_options(int argc, char** argv, int rank) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) leave_with_usage(rank);
        const std::string_view name = argv[i];
        const std::vector<std::size_t> values = parse_list(argv[i + 1], rank);
        if (name == "--bytes") {
            options.bytes = values;
        } else if (name == "--repetitions" && values.size() == 1) {
            options.limits.exactly = values[0];
        } else {
            leave_with_usage(rank);
        }
    }
    for (const std::size_t bytes : options.bytes) {
        if (bytes % sizeof(float) != 0 || bytes > std::size_t{1} << 31) leave_with_usage(rank);
    }
    return options;
}

/// On rank 0, every rank's values, rank after rank.
std::vector<std::int64_t> gather(const std::vector<std::int64_t>& mine, int world_size) {
    const int count = static_cast<int>(mine.size());
    std::vector<std::int64_t> all(mine.size() * static_cast<std::size_t>(world_size));
    MPI_Gather(mine.data(), count, MPI_INT64_T, all.data(), count, MPI_INT64_T, 0, MPI_COMM_WORLD);
    return all;
}

/// The row on rank 0; elsewhere only `wrong` is set.
Row measure(std::size_t bytes, const RoundLimits& limits, int rank, int world_size) {
    const auto world = static_cast<std::size_t>(world_size);
    const dp::core::FloatBlock gradients(bytes / sizeof(float));
    const int count = static_cast<int>(gradients.size());
    std::vector<std::int64_t> arrivals;
    std::vector<std::int64_t> ends;
    std::uint64_t wrong = 0;
    const std::int64_t started = now_ns();
    for (std::size_t round = 0;; ++round) {
        fill_addends(static_cast<std::size_t>(rank), round, gradients.span());
        int over = limits.enough(round, static_cast<double>(now_ns() - started) * 1e-9) ? 1 : 0;
        MPI_Bcast(&over, 1, MPI_INT, 0, MPI_COMM_WORLD);
        if (over != 0) break;
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
        const std::int64_t arrival = now_ns();
        MPI_Allreduce(MPI_IN_PLACE, gradients.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        const std::int64_t end = now_ns();
        MPI_Barrier(MPI_COMM_WORLD);  // no check takes the core of a rank that is not through yet
        wrong += count_wrong(world, round, 0, gradients.span());
        if (round < RoundLimits::kWarmUp) continue;
        arrivals.push_back(arrival);
        ends.push_back(end);
    }
    const std::vector<std::int64_t> all_arrivals = gather(arrivals, world_size);
    const std::vector<std::int64_t> all_ends = gather(ends, world_size);
    std::uint64_t all_wrong = 0;
    MPI_Allreduce(&wrong, &all_wrong, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);

    Row row;
    row.wrong = all_wrong;
    if (rank != 0) return row;
    row.bytes = bytes;
    row.mode = "mpi";
    row.workers = world;
    row.reduction = "MPI_Allreduce";
    row.repetitions = arrivals.size();
    std::vector<double> times;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
        std::int64_t arrival = all_arrivals[i];
        std::int64_t end = all_ends[i];
        for (std::size_t r = 1; r < world; ++r) {
            arrival = std::max(arrival, all_arrivals[r * arrivals.size() + i]);
            end = std::max(end, all_ends[r * arrivals.size() + i]);
        }
        times.push_back(static_cast<double>(end - arrival) * 1e-3);
    }
    row.time_us = dp::experiments::statistics::summarise(times);
    return row;
}

}  // namespace

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    int rank = 0;
    int world_size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world_size);
    const Options options = parse_options(argc, argv, rank);

    if (rank == 0) std::puts(format_header().c_str());
    bool valid = true;
    for (const std::size_t bytes : options.bytes) {
        const Row row = measure(bytes, options.limits, rank, world_size);
        valid = valid && row.wrong == 0;
        if (rank != 0) continue;
        std::puts(format_row(row).c_str());
        std::fflush(stdout);
    }
    MPI_Finalize();
    return valid ? 0 : 5;
}
