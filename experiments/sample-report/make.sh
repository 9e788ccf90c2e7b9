#!/usr/bin/env bash
# The sample report and its data, made anew; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: experiments/sample-report/make.sh [DP_COMPARE [FOLDER [OPTIONS OF THE SWEEP...]]]
Measures the sweep of the sample report, four minutes on two cores, and puts into FOLDER what a reader of
the report and `dp_compare report`, `diff` and `predict` need: report.md, its pictures, and the data, run
files and traces packed by gzip. What FOLDER held of another sample goes.

  DP_COMPARE  the program (build/dp_compare of this checkout)
  FOLDER      this script's own
  OPTIONS     --dataset cifar10 --data-dir data --epochs 1 --steps 60 --mode serial,threads,procs
              -n 1,2,4 --reps 6 (experiments/get_data.sh cifar10 fetches data/)
END
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
case ${1-} in
    -h | --help) usage && exit 0 ;;
    -*) echo "make.sh: '$1' is not a program (--help says what is)" >&2 && exit 2 ;;
esac
program=${1:-$here/../../build/dp_compare}
folder=${2:-$here}
shift $(($# < 2 ? $# : 2))
options=("$@")
if ((${#options[@]} == 0)); then
    options=(--dataset cifar10 --data-dir data --epochs 1 --steps 60 --mode serial,threads,procs
        -n 1,2,4 --reps 6)
fi
[[ -x $program ]] || { echo "make.sh: no program $program: build it, or name another one" >&2 && exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" "${options[@]}" --out "$work/out"
cd "$work/out"
# Made again by `dp_compare report`, of no use without the sweep, or in other files too.
rm -f report.html summary.json sweep.json epochs.csv
gzip -9n run-*.json
for trace in trace-*.json; do [[ ! -f $trace ]] || gzip -9n "$trace"; done
mkdir -p "$folder"
cd "$folder"
rm -rf report.html report.md summary.json ./*.csv allreduce.json plots run-*.json* trace-*.json* \
    ceiling-*.json steps-*.csv.gz
cp -r "$work/out/." .
