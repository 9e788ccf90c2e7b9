#!/usr/bin/env bash
# Installs the Debian packages that are missing, builds Release in build/ and runs all tests.
#   tests/run.sh [OPTION...]    options of ctest, for example -R ring
# Exit codes: ctest's; of a failed installation or build, 1.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/experiments/install_packages.sh"

install_packages "${test_packages[@]}"
cmake -S "$root" --preset release -DBUILD_TESTING=ON || exit 1
cmake --build "$root/build" || exit 1
cd -- "$root"
exec ctest --preset release --parallel 2 "$@"
