#!/usr/bin/env bash
# What tracing costs: images/s with --trace over those without, two workers.
#   trace.sh [ROUNDS]    default 5
#
# A round runs each mode without a trace, with the default three steps traced, and with all of them.
# One epoch of 39 steps a run, since tracing is of the first epoch; only training steps count, so
# that neither collecting nor writing the trace does. The three take turns at being first.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-5}
kinds=(off three all)

for ((round = 0; round < rounds; ++round)); do
    for mode in threads procs; do
        for ((i = 0; i < 3; ++i)); do
            kind=${kinds[(i + round) % 3]}
            case $kind in
                off) more=() ;;
                three) more=(--trace "$work/trace.json") ;;
                all) more=(--trace "$work/trace.json" --trace-steps 1-39) ;;
            esac
            images_per_second "$work/o" --mode "$mode" -n 2 --epochs 1 --steps 39 \
                --batch-size 128 "${more[@]}" >>"$work/$mode-$kind"
            rm -r "$work/o"
        done
    done
done

echo "tracing, two workers: images/s over those without, median of $rounds rounds (range)"
for mode in threads procs; do
    printf '  %-8s %s images/s without; ' "$mode" "$(median_range %.0f <"$work/$mode-off")"
    printf 'three steps traced %s, all 39 %s\n' \
        "$(paste "$work/$mode-three" "$work/$mode-off" | awk '{ print $1 / $2 }' |
            median_range %.4f)" \
        "$(paste "$work/$mode-all" "$work/$mode-off" | awk '{ print $1 / $2 }' |
            median_range %.4f)"
done
