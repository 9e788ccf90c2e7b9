#!/usr/bin/env bash
# Exchange that backward hides: --overlap on against off, two workers, with and without a straggler.
#   overlap.sh [ROUNDS]    default 5
#
# The straggler's rank 1 sleeps 5 ms in each forward. Exposed exchange is the phase `exchange` of
# both ranks per step: waiting for the other included, hidden work not. 39 steps a run, the first
# epoch dropped.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-5}
exposed='[.result.workers[].epochs[1].exchange_seconds] | add * 1e6 / 39'
rate='.result.epochs[1] | .images / .train_seconds'

for ((round = 0; round < rounds; ++round)); do
    for mode in threads procs; do
        for delay in none straggler; do
            more=()
            [[ $delay == straggler ]] && more=(--inject delay:rank=1,ms=5,phase=forward)
            # Alternately first, so that a warm machine favours neither.
            order=(on off)
            ((round % 2)) && order=(off on)
            for overlap in "${order[@]}"; do
                images_per_second "$work/o" --mode "$mode" -n 2 --epochs 2 --steps 39 \
                    --batch-size 128 --overlap "$overlap" "${more[@]}" >/dev/null
                run_value "$work/o" "$exposed" >>"$work/$mode-$delay-$overlap.exposed"
                run_value "$work/o" "$rate" >>"$work/$mode-$delay-$overlap.rate"
                rm -r "$work/o"
            done
        done
    done
done

echo "overlap, two workers: median of $rounds rounds (range)"
for mode in threads procs; do
    for delay in none straggler; do
        printf '  %-8s %-10s exposed exchange: on %s us, off %s us a step; images/s on over off %s\n' \
            "$mode" "$delay" "$(median_range %.0f <"$work/$mode-$delay-on.exposed")" \
            "$(median_range %.0f <"$work/$mode-$delay-off.exposed")" \
            "$(paste "$work/$mode-$delay-on.rate" "$work/$mode-$delay-off.rate" |
                awk '{ print $1 / $2 }' | median_range %.3f)"
    done
done
