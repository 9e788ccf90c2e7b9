#!/usr/bin/env bash
# Two workers against two independent serial runs at once, the machine's own ceiling.
#   two_workers.sh [ROUNDS [STEPS]]    default 3 rounds of 60 steps
#
# A round: two serial runs started together, then threads, then procs with two workers; each worker
# takes STEPS steps of batch 128. Only the training steps count: images_per_second of the run's
# JSON. The two serial runs are the same program with the same work, so they begin and end their
# steps some hundredths of a second apart; of 60 steps, more than two seconds, that is the part in
# which one has the machine to itself.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
steps=${2:-60}
options=(--epochs 1 --steps "$steps" --batch-size 128)

for ((round = 0; round < rounds; ++round)); do
    images_per_second "$work/one" --mode serial "${options[@]}" >"$work/one.rate" &
    one=$!
    images_per_second "$work/two" --mode serial "${options[@]}" >"$work/two.rate" || fail "see above"
    wait "$one" || fail "see above"
    ceiling=$(cat "$work/one.rate" "$work/two.rate" | awk '{ sum += $1 } END { print sum }')
    echo "$ceiling" >>"$work/serial"
    for mode in threads procs; do
        rate=$(images_per_second "$work/$mode" --mode "$mode" -n 2 "${options[@]}")
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
