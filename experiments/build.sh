# Where the scripts build and what they tell when that cannot work. Sourced by
# experiments/quickstart.sh, tests/run.sh and .ci/run; needs bash with set -e.

# shellcheck shell=bash
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/experiments/install_packages.sh"
# Another folder for the build than build/ in the checkout.
build=${DP_BUILD_DIR:-$root/build}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Prints variable $1 of the build folder's CMake cache; nothing when there is none.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt" 2>/dev/null || true
}

# Configures the build folder with preset $1 and CMake's options $2... Ends the script with code 1
# and the next step where CMake would only say what is wrong.
configure() {
    local preset=$1 home generator next
    shift
    mkdir -p -- "$build" 2>/dev/null && [[ -w $build ]] || fail "cannot write to $build;" \
        "copy the checkout to a folder of yours, or name a folder for the build: DP_BUILD_DIR=FOLDER"
    home=$(cached CMAKE_HOME_DIRECTORY)
    generator=$(cached CMAKE_GENERATOR)
    next="remove it (rm -r '$build') and run again, or name another one: DP_BUILD_DIR=FOLDER"
    [[ -z $home || $home -ef $root ]] || fail "$build was made for the checkout in $home," \
        "not for the one in $root; $next"
    [[ -z $generator || $generator == Ninja ]] || fail "$build was made for $generator," \
        "and this script builds with Ninja; $next"
    cmake -S "$root" -B "$build" --preset "$preset" "$@" >&2 ||
        fail "CMake could not configure $build (see above); if it worked before, $next"
}

# Builds target $1.
build_target() {
    cmake --build "$build" --target "$1" >&2 || fail "the build failed (see above)"
}
