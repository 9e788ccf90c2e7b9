#!/usr/bin/env bash
# The exchange alone against Open MPI, in turn, from 4 KiB to 64 MiB: each reduction of threads and
# procs, and MPI_Allreduce.
#   allreduce_vs_mpi.sh [ROUNDS]    default 5; a round takes about a minute
#
# Per N: our table and the MPI program's, a round of each after the other; of each row the median
# over the rounds of the rounds' medians. Open MPI runs at what is best for it on one machine, bound
# to cores where there are enough and yielding when idle where there are not, once with its
# single-copy mechanism (CMA, which containers often forbid) and once without.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
require mpirun
rounds=${1:-5}
mpi=$build/dp_mpi_allreduce
[[ -x $mpi ]] || fail "no $mpi: install MPI's headers (libopenmpi-dev), configure and build again"

sizes=4096,65536,1048576,4591656,67108864
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# Appends the MPI program's rows for N = $1 to file $2, its mode called $3, with mechanism $4.
run_mpi() {
    local options=(--bind-to core)
    if (($1 > $(nproc))); then
        options=(--oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
    fi
    OMPI_MCA_btl_vader_single_copy_mechanism=$4 \
        mpirun -np "$1" "${options[@]}" "$mpi" --bytes "$sizes" >"$work/mpi" ||
        fail "mpirun failed with N = $1"
    awk -v mode="$3" '$1 !~ /#/ { $3 = mode; print }' "$work/mpi" >>"$2"
}

table=$work/table
for n in 2 4; do
    for ((round = 0; round < rounds; ++round)); do
        "$program" allreduce -n "$n" --bytes "$sizes" 2>"$work/talk" | grep -v '^#' >>"$table" ||
            fail "dp_compare allreduce failed: $(cat "$work/talk")"
        run_mpi "$n" "$table" open-mpi none
        run_mpi "$n" "$table" open-mpi-cma cma
    done
done

# Columns of the table: bytes, count, mode, N, reduction, median us ...
for n in 2 4; do
    echo "N = $n: microseconds, median of $rounds rounds; in brackets how many times as long the" \
        "faster of both Open MPI takes"
    awk -v n="$n" -v sizes="$sizes" '
        function median(text, values, count, i, j, swap) {
            count = split(text, values, " ")
            for (i = 1; i <= count; ++i) values[i] += 0
            for (i = 2; i <= count; ++i)
                for (j = i; j > 1 && values[j] < values[j - 1]; --j) {
                    swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
                }
            return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
        }
        $4 == n {
            name = $3 "/" $5
            if (!(name in seen)) { seen[name] = 1; names[++rows] = name }
            times[name, $1] = times[name, $1] " " $6
            if ($3 ~ /^open-mpi/) mpi[name] = 1
        }
        END {
            columns = split(sizes, size, ",")
            printf "  %-26s", "bytes"
            for (c = 1; c <= columns; ++c) printf " %16s", size[c]
            print ""
            for (r = 1; r <= rows; ++r)
                for (c = 1; c <= columns; ++c) {
                    if (!((names[r], size[c]) in times)) continue
                    m[names[r], c] = median(times[names[r], size[c]])
                    if (names[r] in mpi && (!(c in best) || m[names[r], c] < best[c]))
                        best[c] = m[names[r], c]
                }
            for (r = 1; r <= rows; ++r) {
                printf "  %-26s", names[r]
                for (c = 1; c <= columns; ++c) {
                    if (!((names[r], c) in m)) { printf " %16s", "-"; continue }
                    t = m[names[r], c]
                    digits = t < 100 ? 1 : 0
                    text = sprintf("%." digits "f", t)
                    if (!(names[r] in mpi)) text = text sprintf(" (%.1f)", best[c] / t)
                    printf " %16s", text
                }
                print ""
            }
        }' "$table"
done
