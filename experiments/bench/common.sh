# What the bench scripts share. Sourced by them; needs bash with set -euo pipefail.

# shellcheck shell=bash disable=SC2034
bench=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$bench/../.." && pwd)
build=${DP_BUILD_DIR:-$root/build}
program=$build/dp_compare

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

[[ -x $program ]] || fail "no $program: build first (see $root/README.md)," \
    "or set DP_BUILD_DIR"

# A folder for this script's results, removed at its end.
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Reads numbers, one a line, and prints "median (min to max)" in printf format $1.
median_range() {
    sort -g | awk -v format="$1" '
        { value[NR] = $1 }
        END {
            if (NR == 0) { print "not measured"; exit }
            middle = NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2
            printf format " (" format " to " format ")\n", middle, value[1], value[NR]
        }'
}

# Prints value $2 (a jq path) of the one run whose files lie in folder $1.
run_value() {
    jq -r "$2" "$1"/run-*.json
}

# Runs dp_compare with $2... into the new folder $1 and prints its value .result.images_per_second.
images_per_second() {
    local out=$1
    shift
    "$program" --quiet --out "$out" --force "$@" >/dev/null || fail "dp_compare $* failed"
    run_value "$out" .result.images_per_second
}

require() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || fail "needs $command:" \
            "install it (the packages are bench_packages in experiments/install_packages.sh)"
    done
}
require awk jq
