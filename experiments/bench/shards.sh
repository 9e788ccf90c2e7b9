#!/usr/bin/env bash
# What --shards costs at one N and one global batch, of 256 images: images/s over that of the mode's
# default order.
#   shards.sh [ROUNDS] [N]    default 5 and 2
#
# Compared, in each round by turns: the default reduction, the plain tree, N shards (one a worker:
# what is added is the same tree) and 8 shards, of which each worker plays 8/N in turn on batches of
# 32. 40 steps a run, the first epoch dropped.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-5}
workers=${2:-2}
global=256
steps=40
rate='.result.epochs[1] | .images / .train_seconds'

declare -A tree=([threads]=in-place-tree [procs]=halving-doubling)
options_of() { # MODE KIND
    local each=(--batch-size $((global / workers)))
    case $2 in
        default) echo "${each[@]}" ;;
        tree) echo "${each[@]}" --reduction "${tree[$1]}" ;;
        shards-N) echo "${each[@]}" --shards "$workers" ;;
        shards-8) echo --batch-size $((global / 8)) --shards 8 ;;
    esac
}

kinds=(default tree shards-N shards-8)
for ((round = 0; round < rounds; ++round)); do
    for mode in threads procs; do
        # Another one first in each round, so that a warm machine favours none.
        for ((k = 0; k < ${#kinds[@]}; ++k)); do
            kind=${kinds[(k + round) % ${#kinds[@]}]}
            # shellcheck disable=SC2046  # words on purpose
            images_per_second "$work/o" --mode "$mode" -n "$workers" --epochs 2 --steps $steps \
                $(options_of "$mode" "$kind") >/dev/null
            run_value "$work/o" "$rate" >>"$work/$mode-$kind.rate"
            rm -r "$work/o"
        done
    done
done

echo "shards, N = $workers, global batch $global: median of $rounds rounds (range)"
for mode in threads procs; do
    for kind in "${kinds[@]}"; do
        printf '  %-8s %-9s images/s %s; over default %s\n' "$mode" "$kind" \
            "$(median_range %.0f <"$work/$mode-$kind.rate")" \
            "$(paste "$work/$mode-$kind.rate" "$work/$mode-default.rate" |
                awk '{ print $1 / $2 }' | median_range %.3f)"
    done
done
