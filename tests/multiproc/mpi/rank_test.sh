#!/usr/bin/env bash
# Usage: rank_test.sh PROGRAM RANKS. Runs PROGRAM as RANKS ranks of MPI; exit code 77, which skips
# the test, where there is no MPI.
set -euo pipefail

if [[ ! -x $1 ]] || ! command -v mpirun >/dev/null; then
    echo "skipped: install Debian's openmpi-bin and libopenmpi-dev, and configure again"
    exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
exec mpirun --oversubscribe --bind-to none -n "$2" "$1"
