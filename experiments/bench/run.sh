#!/usr/bin/env bash
# Every figure of README.md beside this, one script after the other.
#   run.sh [--quick]    --quick: fewer rounds, under five minutes in all
#
# The machine should have nothing else to do. A script that fails does not keep the others from
# running; the exit code is then 1.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    --quick) one=1 few=2 some=3 many=5 steps=8 ;;
    "") one=5 few=9 some=9 many=15 steps=60 ;;
    *) fail "usage: run.sh [--quick]" ;;
esac

failed=()
SECONDS=0
measure() {
    "$bench/$1" "${@:2}" || failed+=("$1")
    echo
}

echo "machine: $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)," \
    "$(nproc) usable CPUs, $(uname -sr)"
echo
measure step.sh "$steps"
measure vs_pytorch.sh "$one"
measure two_workers.sh "$some"
measure allreduce_vs_mpi.sh "$some"
measure overlap.sh "$few"
measure trace.sh "$few"
measure growth.sh "$few"
measure startup.sh "$many"
measure memory.sh

echo "all of it: $SECONDS s"
((${#failed[@]} == 0)) || fail "not measured: ${failed[*]}"
