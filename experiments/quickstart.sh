#!/usr/bin/env bash
# From a bare Debian to a first report: installs the packages that are missing, builds Release in
# build/, trains on built-in data with one worker, with threads and with processes, five times each,
# and ends with a report in results/quickstart-<time>. About four minutes on two cores, without the
# installation.
#   experiments/quickstart.sh [OPTION...]    options of dp_compare, instead of or beside ours
# Results go to stdout, all else to stderr. Exit codes: those of dp_compare; of a failed
# installation or build, 1.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/experiments/install_packages.sh"

install_packages "${build_packages[@]}"
cmake -S "$root" --preset release -DBUILD_TESTING=OFF >&2 || exit 1
cmake --build "$root/build" --target dp_compare >&2 || exit 1

modes=(--mode "serial,threads,procs")
workers=(-n "1,2")
epochs=(--epochs 1 --steps 30)
repetitions=(--reps 5)
out=(--out "$root/results/quickstart-$(date +%Y%m%d-%H%M%S)")
for argument; do
    case $argument in
        --mode | --mode=*) modes=() ;;
        -n* | --workers* | --world-size*) workers=() ;;
        --epochs | --epochs=* | --steps | --steps=*) epochs=() ;;
        --reps | --reps=* | --repetitions*) repetitions=() ;;
        --out | --out=*) out=() ;;
        --resume | --resume=*) modes=() workers=() epochs=() repetitions=() out=() ;;
    esac
done
exec "$root/build/dp_compare" "${modes[@]}" "${workers[@]}" "${epochs[@]}" "${repetitions[@]}" \
    "${out[@]}" "$@"
