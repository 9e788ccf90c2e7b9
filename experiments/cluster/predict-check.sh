#!/usr/bin/env bash
# `dp_compare predict` held against a network; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: experiments/cluster/predict-check.sh [--mbit M,M,M] [--steps K] [--reps R] [DP_COMPARE]
Trains with mode mpi and 2 workers on 2 hosts out of network namespaces, whose cards send M megabit/s
(250,500,1000), and prints images/s and the time of a step's exchange as measured and as
`dp_compare predict` says from runs without a network. All of it takes some minutes.

  --mbit M,...  bandwidths of the hosts' cards, in megabit/s
  --steps K     steps of a run (40)
  --reps R      runs of each kind, 2 or more, whose median counts (3)
  DP_COMPARE    the program (build/dp_compare of this checkout)

Runs have --overlap off, because the model knows no overlap. Needs root, iproute2, Open MPI and
python3, 2 CPUs, and nothing else that runs on them. Exit codes: 2 usage, 1 when a run failed.
END
}

fail() { echo "predict-check.sh: $1" >&2 && exit "${2:-1}"; }
number() { [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || fail "$1 '$2' is not a number from 1" 2; }

here=$(dirname -- "${BASH_SOURCE[0]}")
program=$here/../../build/dp_compare
mbits=250,500,1000 steps=40 reps=3
while (($# > 0)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --mbit | --steps | --reps)
            (($# > 1)) || fail "$1 needs a number" 2
            case $1 in
                --mbit) mbits=$2 ;;
                --steps) number "$1" "$2" && steps=$2 ;;
                --reps) number "$1" "$2" && reps=$2 ;;
            esac
            shift 2
            ;;
        -*) fail "'$1' is not an option (--help lists them)" 2 ;;
        *) program=$1 && shift ;;
    esac
done
((reps > 1)) || fail "--reps $reps: a prediction needs 2 or more" 2
IFS=, read -ra rates <<<"$mbits"
for mbit in "${rates[@]}"; do number --mbit "$mbit"; done
((EUID == 0)) || fail "only root may make network namespaces; run it with sudo"
[[ -x $program ]] || fail "no program $program: build it, or name another one" 2
for command in ip tc mpirun python3; do
    command -v "$command" >/dev/null || fail "$command is missing; install iproute2, openmpi-bin and python3"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Of a message between the namespaces, over TCP: small beside what a step sends.
latency_us=50
training=(--mode mpi --reduction message-ring --overlap off --epochs 1 --steps "$steps")

echo "without a network: N = 1 and 2, $reps runs each, and the reduction alone" >&2
"$program" "${training[@]}" -n 1,2 --reps "$reps" --quiet --out "$work/alone" >"$work/talk" 2>&1 ||
    fail "the runs without a network failed: $(cat "$work/talk")"

for mbit in "${rates[@]}"; do
    echo "$mbit Mbit/s: $reps runs" >&2
    for ((rep = 1; rep <= reps; ++rep)); do
        "$here/namespaces.sh" --mbit "$mbit" -- mpirun -n 2 "$program" "${training[@]}" --quiet \
            --out "$work/$mbit-$rep" >"$work/talk" 2>&1 ||
            fail "a run with $mbit Mbit/s failed: $(cat "$work/talk")"
    done
    "$program" predict "$work/alone" --mode mpi -n 2 --latency-us "$latency_us" \
        --bandwidth-gb-per-s "$(awk -v mbit="$mbit" 'BEGIN { print mbit / 8000 }')" \
        --workers-per-machine 1 --json "$work/$mbit.json" >"$work/talk" 2>&1 ||
        fail "predict failed: $(cat "$work/talk")"
done

python3 - "$work" "$reps" "${rates[@]}" <<'END'
import json, pathlib, statistics, sys

work, reps, rates = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def load(path):
    return json.loads((work / path).read_text())


def images_per_second(run):
    epochs = run["result"]["epochs"]
    return sum(each["images"] for each in epochs) / sum(each["train_seconds"] for each in epochs)


def exchange_ms(run):
    """Of a step, waiting included; mean over the workers."""
    result = run["result"]
    seconds = sum(epoch["exchange_seconds"] for worker in result["workers"] for epoch in worker["epochs"])
    steps = result["steps_per_epoch"] * len(result["epochs"]) * len(result["workers"])
    return 1e3 * seconds / steps


def median(values):
    return f"{statistics.median(values):8.1f} ({min(values):.1f} to {max(values):.1f})"


print("                images/s                                exchange of a step, ms")
print("  Mbit/s  {:>28}  {:>9}  {:>26}  {:>9}".format("measured (range)", "predicted", "measured (range)", "predicted"))
for rate in rates:
    runs = [load(f"{rate}-{rep}/run-mpi-n2-r1.json") for rep in range(1, reps + 1)]
    document = load(f"{rate}.json")
    mode = document["designs"][0]
    if mode["refused"]:
        sys.exit(f"predict-check.sh: no prediction: {mode['refused']}")
    network = document["network"]
    # A ring of 2 machines: see experiments/statistics/exchange_model.hpp.
    exchange = 2 * (network["latency_seconds"] + mode["exchange"]["gradient_bytes"] / 2 / network["bytes_per_second"])
    print("{:>8}  {:>28}  {:>9.1f}  {:>26}  {:>9.1f}".format(
        rate, median([images_per_second(run) for run in runs]),
        mode["predictions"][0]["networked"]["images_per_second"],
        median([exchange_ms(run) for run in runs]), 1e3 * exchange))
END
