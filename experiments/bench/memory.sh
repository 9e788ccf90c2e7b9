#!/usr/bin/env bash
# Peak memory of the whole program, N = 2: the sum of PSS over its processes.
#   memory.sh [STEPS]    default 30
#
# Every 50 ms, Pss of /proc/PID/smaps_rollup of the program and all its children is added up; the
# highest sum of the run counts. A page that several processes share counts once.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
steps=${1:-30}

# Prints process $1 and its descendants, a line each.
family() {
    local child
    echo "$1"
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do family "$child"; done
}

# Prints the sum of PSS in KiB of process $1 and its descendants; one that just ends counts 0.
family_pss() {
    local pid
    for pid in $(family "$1"); do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done |
        awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }'
}

echo "memory, N = 2, $steps steps of batch 128: peak sum of PSS"
for mode in threads procs; do
    "$program" --quiet --mode "$mode" -n 2 --epochs 1 --steps "$steps" --batch-size 128 \
        >/dev/null &
    pid=$!
    peak=0
    while kill -0 "$pid" 2>/dev/null; do
        now=$(family_pss "$pid")
        ((now > peak)) && peak=$now
        sleep 0.05
    done
    wait "$pid" || fail "dp_compare --mode $mode failed"
    awk -v mode="$mode" -v kib="$peak" 'BEGIN { printf "  %-8s %.0f MiB\n", mode, kib / 1024 }'
done
