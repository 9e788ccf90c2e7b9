#!/usr/bin/env bash
# From a bare Debian to a first comparison: installs the packages that are missing, builds Release
# in build/ and trains on built-in data with one worker, with threads and with processes. Under
# three minutes on two cores, without the installation.
#   experiments/quickstart.sh [OPTION...]    options of dp_compare, instead of or beside ours
# Results go to stdout, all else to stderr. Exit codes: those of dp_compare; of a failed
# installation or build, 1.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/experiments/install_packages.sh"

install_packages "${build_packages[@]}"
cmake -S "$root" --preset release -DBUILD_TESTING=OFF >&2 || exit 1
cmake --build "$root/build" >&2 || exit 1

modes=(--mode "serial,threads,procs")
workers=(-n "1,2")
epochs=(--epochs 2)
for argument; do
    case $argument in
        --mode | --mode=*) modes=() ;;
        -n* | --workers* | --world-size*) workers=() ;;
        --epochs | --epochs=*) epochs=() ;;
    esac
done
exec "$root/build/dp_compare" "${modes[@]}" "${workers[@]}" "${epochs[@]}" "$@"
