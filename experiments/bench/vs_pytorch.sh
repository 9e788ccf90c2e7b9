#!/usr/bin/env bash
# Training throughput against PyTorch on the same cores, by turns.
#   vs_pytorch.sh [ROUNDS]    default 3
#
# PyTorch is used as it comes and with glibc kept from giving freed memory back at each step, which
# is its fair bar. DP_PYTHON is the command that runs a python with torch (default: python3); its
# linear layers need an optimised BLAS (Debian: libopenblas0), without which it is three times
# slower: that one is refused. Debian 13's python3-torch is version 2.6. Without torch this measures
# nothing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
read -ra python <<<"${DP_PYTHON:-python3}"
tuned=(env MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=2000000000)

version=$("${python[@]}" -c 'import torch; print(torch.__version__)' 2>"$work/talk") || {
    echo "against PyTorch: not measured, ${python[*]} has no torch (see ${0##*/})"
    exit 0
}
step=${DP_PYTORCH_STEP:-$bench/pytorch_step.py} # where that python sees it
blas=$("${python[@]}" "$step" blas 2>"$work/talk") ||
    fail "PyTorch failed: $(tail -1 "$work/talk")"
[[ $blas != reference ]] || fail "this torch runs on the reference BLAS, three times slower than it" \
    "can be: install an optimised one (Debian: libopenblas0)"

torch() { # name, then the script's arguments; NAME tuned-... has the allocator tuned
    local prefix=()
    [[ $1 == tuned* ]] && prefix=("${tuned[@]}")
    "${prefix[@]}" "${python[@]}" "$step" "${@:2}" \
        2>"$work/talk" >>"$work/$1" || fail "PyTorch failed: $(tail -1 "$work/talk")"
}

# The second epoch's images/s: PyTorch's first steps do not count either.
train() {
    images_per_second "$work/o" --epochs 2 --steps 39 --batch-size 128 "${@:2}" >/dev/null
    run_value "$work/o" '.result.epochs[1] | .images / .train_seconds' >>"$work/$1"
    rm -r "$work/o"
}

for ((round = 0; round < rounds; ++round)); do
    train serial --mode serial
    torch plain-1 1
    torch tuned-1 1
    train intraop --mode intraop -n 2
    train threads --mode threads -n 2
    torch tuned-2 2
    train procs --mode procs -n 2
    torch tuned-ddp ddp 2
done

ratio() { paste "$work/$1" "$work/$2" | awk '{ print $1 / $2 }' | median_range %.2f; }
echo "against PyTorch $version with $blas: median of $rounds rounds (range)"
row() { printf '  %-44s %s images/s\n' "$1" "$(median_range %.0f <"$work/$2")"; }
row "PyTorch, one core" plain-1
row "PyTorch, one core, allocator tuned" tuned-1
row "dp_compare, one core" serial
printf '  %-44s %s, tuned %s\n' "  ratio" "$(ratio serial plain-1)" "$(ratio serial tuned-1)"
row "PyTorch, two intra-op threads, tuned" tuned-2
row "dp_compare, intraop, two threads" intraop
printf '  %-44s %s over intra-op\n' "  ratio" "$(ratio intraop tuned-2)"
row "PyTorch DDP, two processes, tuned" tuned-ddp
for mode in threads procs; do
    row "dp_compare, $mode, N = 2" "$mode"
    printf '  %-44s %s over intra-op, %s over DDP\n' "  ratio" "$(ratio "$mode" tuned-2)" \
        "$(ratio "$mode" tuned-ddp)"
done
