#!/usr/bin/env bash
# A sample report, the one of this checkout and one made anew by its script, can be reported, compared
# and predicted from. Prints the facts that do not hold and exits 1 if there are any.
# Usage: sample_test.sh DP_COMPARE
set -euo pipefail

program=$1
sample=$(cd -- "$(dirname -- "$0")/../../experiments/sample-report" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

fact() { # DESCRIPTION COMMAND...
    local description=$1
    shift
    if ! "$@" >"$work/said" 2>&1; then
        echo "does not hold: $description" >&2
        sed 's/^/  /' "$work/said" >&2
        failures=$((failures + 1))
    fi
}

# Keeps what the program says.
answers() { "$program" "$@" >"$work/answer" 2>&1 || { cat "$work/answer" && false; }; }
is_small() { (($(du -sk "$1" | cut -f1) < $2)) && [[ ! -e $1/report.html ]]; }
has_figures_again() { cmp "$1/runs.csv" "$2/runs.csv" && [[ -s $2/report.html ]] && grep -q '## Model' "$2/report.md"; }
names_no_difference() {
    ! grep -Eq ' (slower|faster)$' "$work/answer" && grep -Eq 'no difference shown|too few' "$work/answer"
}
predicts() { grep -Eq '^threads +4 ' "$work/answer"; }

check_folder() { # FOLDER KIB
    fact "$1 is small" is_small "$1" "$2"
    cp -r "$1" "$work/copy"
    fact "$1 can be reported" "$program" report "$work/copy"
    fact "$1 has the same figures when reported" has_figures_again "$1" "$work/copy"
    fact "$1 can be compared with itself" answers diff "$1" "$work/copy"
    fact "$1 does not differ from itself" names_no_difference
    fact "$1 can be predicted from" answers predict "$1"
    fact "$1 predicts twice the workers that had a CPU each" predicts
    rm -rf "$work/copy"
}

if (($(nproc) > 1)); then
    fact "a sample can be made" "$sample/make.sh" "$program" "$work/new" \
        --mode serial,threads,procs -n 1,2 --reps 3 --epochs 1 --steps 3 --batch-size 16
    check_folder "$work/new" 4096
fi
if compgen -G "$sample/run-*.json.gz" >/dev/null; then  # a sample of an older program has none
    check_folder "$sample" 4096
fi
if ((failures > 0)); then exit 1; fi
