#!/usr/bin/env bash
# Two workers against two independent serial runs at once, the machine's own ceiling.
#   two_workers.sh [ROUNDS]    default 3
#
# A round: two serial runs started together, then threads, then procs with two workers; each worker
# takes 78 steps of batch 128, the built-in data once in serial and twice halved. Only the training
# steps count: images_per_second of the run's JSON. The two serial runs are the same program with
# the same work, so they begin and end their steps some hundredths of a second apart; of 78 steps,
# about three seconds, that is the part in which one has the machine to itself.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
serial=(--mode serial --epochs 1 --steps 78 --batch-size 128)

for ((round = 0; round < rounds; ++round)); do
    images_per_second "$work/one" "${serial[@]}" >"$work/one.rate" &
    one=$!
    (images_per_second "$work/two" "${serial[@]}" >"$work/two.rate") || {
        kill "$one"
        fail "see above"
    }
    wait "$one" || fail "see above"
    ceiling=$(cat "$work/one.rate" "$work/two.rate" | awk '{ sum += $1 } END { print sum }')
    echo "$ceiling" >>"$work/serial"
    for mode in threads procs; do
        rate=$(images_per_second "$work/$mode" --mode "$mode" -n 2 --epochs 2 --steps 39 \
            --batch-size 128)
        echo "$rate" >>"$work/$mode.rates"
        awk -v rate="$rate" -v ceiling="$ceiling" 'BEGIN { print 100 * rate / ceiling }' \
            >>"$work/$mode.shares"
    done
done

echo "two workers on this machine: median of $rounds rounds (range)"
printf '  %-24s %s images/s\n' "two serial runs at once" "$(median_range %.0f <"$work/serial")"
for mode in threads procs; do
    printf '  %-24s %s images/s, %s %% of that\n' "$mode, N = 2" \
        "$(median_range %.0f <"$work/$mode.rates")" "$(median_range %.1f <"$work/$mode.shares")"
done
