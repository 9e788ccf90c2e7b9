#!/usr/bin/env bash
# From process start to the first training step, and how long reading CIFAR-10 takes.
#   startup.sh [ROUNDS]    default 5
#
# first_step_seconds of the run's JSON: from the process's start as the kernel has it (so with
# loading the program and its libraries; to 10 ms) until the last worker begins its first step.
# data_load_seconds for CIFAR-10 needs its folder: DP_CIFAR10_DIR, or data/ as
# experiments/get_data.sh makes it. The first read, which fills the page cache, is dropped.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-5}
options=(--epochs 1 --steps 1 --batch-size 128)
cifar=${DP_CIFAR10_DIR:-$root/data}

for ((round = 0; round < rounds; ++round)); do
    for mode in threads procs; do
        images_per_second "$work/run" --mode "$mode" -n 2 "${options[@]}" >/dev/null
        run_value "$work/run" .startup.first_step_seconds >>"$work/$mode"
    done
done
echo "start-up, built-in data, N = 2: median of $rounds rounds (range)"
for mode in threads procs; do
    printf '  %-8s %s s from process start to the first step\n' "$mode" \
        "$(median_range %.2f <"$work/$mode")"
done

if [[ ! -d $cifar ]]; then
    echo "  CIFAR-10 not measured: no $cifar; set DP_CIFAR10_DIR"
    exit 0
fi
for ((round = -1; round < rounds; ++round)); do
    images_per_second "$work/run" --mode serial "${options[@]}" --dataset cifar10 \
        --data-dir "$cifar" >/dev/null
    ((round < 0)) || run_value "$work/run" .startup.data_load_seconds >>"$work/cifar"
done
printf '  %-8s %s s to read it from a warm page cache\n' CIFAR-10 \
    "$(median_range %.3f <"$work/cifar")"
