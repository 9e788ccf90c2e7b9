#!/usr/bin/env bash
# Two workers against two independent serial runs at once, the machine's own ceiling.
#   two_workers.sh [ROUNDS [STEPS]]    default 3 rounds, epochs of 60 steps
#
# A round: two serial runs started together, then threads, then procs with two workers, each for
# STEPS steps of batch 128. Only training counts (images_per_second of the run's JSON: all images
# over the wall time of the steps). The two serial runs train for two epochs each, and the second
# epoch of both counts: start-up skew is over by then, and as each evaluates between its epochs
# they stay side by side but for the skew itself; the overlap is printed.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
steps=${2:-60}
