#!/usr/bin/env bash
# What more workers than cores cost: images/s at N = 16 over that at N = 2.
#   growth.sh [ROUNDS]    default 3
#
# Every run trains for three epochs of 8192 images in steps of batch 128 per worker: at N = 16 an
# eighth of the steps of N = 2. The first epoch does not count: in its first step every worker gets
# its memory from the system, which would weigh eight times as much at N = 16.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}

for ((round = 0; round < rounds; ++round)); do
    for mode in threads procs; do
        for n in 2 16; do
            # The warning that 16 workers are many is the point of this.
            (images_per_second "$work/$mode-$n" --mode "$mode" -n "$n" --epochs 3 \
                --steps $((8192 / 128 / n)) --batch-size 128 2>"$work/talk" >/dev/null) ||
                fail "$(cat "$work/talk")"
            run_value "$work/$mode-$n" \
                '.result.epochs[1:] | (map(.images) | add) / (map(.train_seconds) | add)' \
                >>"$work/$mode-$n.rates"
        done
    done
done

echo "growth on $(nproc) cores: median of $rounds rounds (range)"
for mode in threads procs; do
    printf '  %-8s %s images/s at N = 2, %s at N = 16: %s %%\n' "$mode" \
        "$(median_range %.0f <"$work/$mode-2.rates")" \
        "$(median_range %.0f <"$work/$mode-16.rates")" \
        "$(paste "$work/$mode-16.rates" "$work/$mode-2.rates" |
            awk '{ print 100 * $1 / $2 }' | median_range %.1f)"
done
