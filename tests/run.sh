#!/usr/bin/env bash
# Builds and runs the tests; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: tests/run.sh [OPTION...]
Installs the Debian packages that are missing, builds the program and its tests in build/ and runs
all tests. OPTION is any option of ctest, for example -R ring or -L protocol.

DP_BUILD_DIR=FOLDER builds in FOLDER. Exit codes: those of ctest; 1 when the installation or the
build failed.
END
}

for argument; do
    case $argument in
        -h | --help) usage && exit 0 ;;
    esac
done
source "$(dirname -- "${BASH_SOURCE[0]}")/../experiments/build.sh"

install_packages "${test_packages[@]}"
configure release -DBUILD_TESTING=ON
build_target all
exec ctest --test-dir "$build" --output-on-failure --parallel 2 "$@"
