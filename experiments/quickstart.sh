#!/usr/bin/env bash
# From a bare Debian to a first report in about four minutes; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: experiments/quickstart.sh [OPTION...]
Installs the Debian packages that are missing, builds dp_compare in build/, trains on built-in data
with one worker, with threads and with processes, six times each, and writes a report to
results/quickstart-<time>. On two cores this takes about four minutes without the installation.

OPTION is any option of dp_compare. These are the defaults, and an option replaces its own:
  --mode serial,threads,procs -n 1,2 --epochs 1 --steps 30 --reps 6
--epochs without --steps trains whole epochs. After the build, build/dp_compare --help lists all
options.

DP_BUILD_DIR=FOLDER builds in FOLDER. Results go to stdout, all else to stderr. Exit codes: those of
dp_compare; 1 when the installation or the build failed.
END
}

for argument; do
    case $argument in
        -h | --help) usage && exit 0 ;;
    esac
done
source "$(dirname -- "${BASH_SOURCE[0]}")/build.sh"

install_packages "${build_packages[@]}"
fresh=()
# One object for up to eight sources: half the time for a first build, more for each later one.
[[ -f $build/CMakeCache.txt ]] || fresh=(-DBUILD_TESTING=OFF -DDP_UNITY=ON)
configure release "${fresh[@]}"
build_target dp_compare

modes=(--mode "serial,threads,procs")
workers=(-n "1,2")
epochs=(--epochs 1)
steps=(--steps 30)
repetitions=(--reps 6)
out=(--out "$root/results/quickstart-$(date +%Y%m%d-%H%M%S)")
for argument; do
    case $argument in
        --mode | --mode=*) modes=() ;;
        -n* | --workers | --workers=* | --world-size | --world-size=*) workers=() ;;
        --epochs | --epochs=*) epochs=() ;;
        --steps | --steps=*) steps=() given_steps=yes ;;
        --reps | --reps=* | --repetitions | --repetitions=*) repetitions=() ;;
        --out | --out=*) out=() ;;
        --resume | --resume=*) modes=() workers=() epochs=() steps=() repetitions=() out=() ;;
    esac
done
[[ ${#epochs[@]} -gt 0 || -n ${given_steps:-} ]] || steps=()
exec "$build/dp_compare" "${modes[@]}" "${workers[@]}" "${epochs[@]}" "${steps[@]}" \
    "${repetitions[@]}" "${out[@]}" "$@"
