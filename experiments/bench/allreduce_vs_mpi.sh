#!/usr/bin/env bash
# The exchange alone against Open MPI, in turn, and how many times faster each reduction is.
#   allreduce_vs_mpi.sh [ROUNDS]    default 5; a round takes some seconds
#
# Per N: our table and the MPI program's, a round of each after the other; of each row the median
# over the rounds of the rounds' medians, with their range. Open MPI runs at what is best for it on
# one machine without its single-copy mechanism: bound to cores where there are enough, yielding
# when idle where there are not.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
require mpirun
rounds=${1:-5}
mpi=$build/dp_mpi_allreduce
[[ -x $mpi ]] || fail "no $mpi: install MPI's headers (libopenmpi-dev), configure and build again"

gradients=4591656
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none

# Appends the MPI program's rows for N = $1 to file $2.
run_mpi() {
    local options=(--bind-to core)
    if (($1 > $(nproc))); then
        options=(--oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
    fi
    mpirun -np "$1" "${options[@]}" "$mpi" --bytes "$gradients" >>"$2" ||
        fail "mpirun failed with N = $1"
}

table=$work/table
for n in 2 4; do
    for ((round = 0; round < rounds; ++round)); do
        "$program" allreduce -n "$n" --bytes "4096,$gradients" >>"$table" 2>"$work/talk" ||
            fail "dp_compare allreduce failed: $(cat "$work/talk")"
        run_mpi "$n" "$table"
    done
done

# Prints the rounds' medians of bytes $1, N $2, reduction $3.
medians() {
    awk -v bytes="$1" -v n="$2" -v reduction="$3" \
        '$1 == bytes && $4 == n && $5 == reduction { print $6 }' "$table"
}

# Prints a round's MPI time over ours, for each round of N $1, reduction $2.
ratios() {
    paste <(medians "$gradients" "$1" MPI_Allreduce) <(medians "$gradients" "$1" "$2") |
        awk '{ print $1 / $2 }'
}

reductions=$(awk '$1 !~ /#/ && $3 != "mpi" && !seen[$5]++ { print $5 }' "$table")
for n in 2 4; do
    echo "all-reduce of $gradients bytes, N = $n: median of $rounds rounds (range)"
    printf "  %-14s %s us\n" MPI_Allreduce \
        "$(medians "$gradients" "$n" MPI_Allreduce | median_range %.0f)"
    for reduction in $reductions; do
        printf '  %-14s %s us; Open MPI takes %s times as long\n' "$reduction" \
            "$(medians "$gradients" "$n" "$reduction" | median_range %.0f)" \
            "$(ratios "$n" "$reduction" | median_range %.2f)"
    done
done
echo "all-reduce of 4096 bytes, N = 2: median of $rounds rounds (range)"
for reduction in $reductions; do
    printf '  %-14s %s us\n' "$reduction" "$(medians 4096 2 "$reduction" | median_range %.2f)"
done
