#!/usr/bin/env bash
# One worker's step against the sum of its primitives, and its variants against each other.
#   step.sh [ROUNDS]    default 20
#
# See step.cpp. A ratio is of median step times from the same rounds.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-20}

echo "one worker's step: median of $rounds rounds"
"$build/dp_bench_step" --rounds "$rounds" | grep -E '^(primitives|step)' | sed 's/^/  /'
for variant in onednn direct plain; do
    "$build/dp_bench_step" --rounds "$rounds" --compare "$variant" | sed -n 's/^ratio/  ratio/p'
done
# Where the CPU multiplies bfloat16.
if "$program" --precision bf16 --epochs 0 --quiet >/dev/null 2>"$work/talk"; then
    for variant in bf16 bf16-direct; do
        "$build/dp_bench_step" --rounds "$rounds" --compare "$variant" |
            sed -n 's/^ratio/  ratio/p'
    done
else
    echo "  bf16 not measured: $(sed 's/.*error: //' "$work/talk")"
fi
