#!/usr/bin/env bash
# What tracing costs, two workers: its share of a step, and images/s with --trace over those without.
#   trace.sh [ROUNDS]    default 5
#
# The share is the CPU time of an event (trace.cpp) times the events of a step and rank, over the
# step's time: far below what runs differ by, so that the ratio can only show that there is nothing
# else.
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
            [[ $kind != all ]] || mv "$work/trace.json" "$work/$mode.json"
            rm -r "$work/o"
        done
    done
done

read -r event off phase < <("$build/dp_bench_trace" | awk '{ print $2 }' | paste -sd' ')
# Prints "events a step and rank, microseconds, per cent of a step" of mode $1, all steps traced.
share() {
    jq '[.traceEvents[] | select(.ph == "X" and .cat != "step")] | length' "$work/$1.json" |
        awk -v event="$event" -v rate="$(median_range %.9g <"$work/$1-all" | cut -d' ' -f1)" '{
            events = $1 / 39 / 2
            printf "%.0f events a step and rank take %.1f us, %.4f %% of a step\n",
                events, events * event / 1e3, 100 * events * event * 1e-9 / (2 * 128 / rate) }'
}

echo "tracing, two workers: median of $rounds rounds (range)"
echo "  an event takes $event ns of CPU time, a span that is off $off; with or without a trace, a" \
    "change of phase takes $phase"
for mode in threads procs; do
    printf '  %-8s %s\n' "$mode" "$(share "$mode")"
    printf '  %-8s %s images/s without, over them three steps traced %s, all 39 %s\n' "$mode" \
        "$(median_range %.0f <"$work/$mode-off")" \
        "$(paste "$work/$mode-three" "$work/$mode-off" | awk '{ print $1 / $2 }' |
            median_range %.3f)" \
        "$(paste "$work/$mode-all" "$work/$mode-off" | awk '{ print $1 / $2 }' |
            median_range %.3f)"
done
