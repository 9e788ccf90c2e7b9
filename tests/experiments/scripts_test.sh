#!/usr/bin/env bash
# Facts about experiments/quickstart.sh and tests/run.sh, shown in a copy of the scripts whose cmake,
# ctest and package manager only say how they were called. Prints the facts that do not hold and
# exits 1 if there are any. Leaves nothing behind.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

fact() { # DESCRIPTION COMMAND...
    local description=$1
    shift
    if ! "$@"; then
        echo "does not hold: $description" >&2
        failures=$((failures + 1))
    fi
}

# Spaces on purpose.
checkout="$work/my checkout"
mkdir -p "$checkout/experiments" "$checkout/tests" "$work/bin"
cp "$source_dir"/experiments/*.sh "$checkout/experiments"
cp "$source_dir"/tests/run.sh "$checkout/tests"
quickstart=$checkout/experiments/quickstart.sh
run_tests=$checkout/tests/run.sh

stub() { # NAME: what it does stands on stdin
    { echo '#!/usr/bin/env bash' && cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stub dpkg-query <<<'echo installed'
stub apt-get <<<'echo "apt-get was called" >&2; exit 1'
stub ctest <<<'echo "ctest $*"'
stub cmake <<'END'
echo "cmake $*" >&2
if [[ $1 == --build ]]; then
    printf '#!/bin/sh\necho dp_compare "$@"\n' >"$2/dp_compare" && chmod +x "$2/dp_compare"
else
    printf 'CMAKE_GENERATOR:INTERNAL=Ninja\nCMAKE_HOME_DIRECTORY:INTERNAL=%s\n' "$2" \
        >"$4/CMakeCache.txt"
fi
END
export PATH=$work/bin:$PATH
unset DP_BUILD_DIR

# Runs $3...; its exit code must be $1 and its output match the pattern $2.
ends_with() {
    local code=$1 pattern=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    # shellcheck disable=SC2053
    [[ $status == "$code" && $output == $pattern ]] && return
    echo "  exit code $status, expected $code; expected '$pattern' in: $output" >&2
    return 1
}

for script in "$quickstart" "$run_tests"; do
    for option in -h --help; do
        fact "${script##*/} $option answers and builds nothing" \
            ends_with 0 "usage: *Exit codes*" "$script" "$option"
    done
done
fact "help configures nothing" [ ! -e "$checkout/build" ]

fact "a first quickstart builds the program alone, and fast" \
    ends_with 0 "*cmake -S $checkout -B $checkout/build *-DDP_UNITY=ON*--target dp_compare*" \
    "$quickstart"
fact "a later one leaves the build as it is configured" \
    ends_with 0 "cmake -S $checkout -B $checkout/build --preset release"$'\n'"cmake --build*" \
    "$quickstart"
fact "the tests are built into the same folder" \
    ends_with 0 "*-DBUILD_TESTING=ON*ctest --test-dir $checkout/build * -R ring" "$run_tests" -R ring

runs() { # DESCRIPTION EXPECTED OPTION...: the arguments of dp_compare
    local description=$1 expected=$2
    shift 2
    fact "$description" ends_with 0 "*"$'\n'"dp_compare $expected" "$quickstart" "$@"
}
all="--mode serial,threads,procs -n 1,2"
runs "the quickstart has defaults" \
    "$all --epochs 1 --steps 30 --reps 6 --out $checkout/results/quickstart-*"
runs "--steps replaces the steps alone" "$all --epochs 1 --reps 6 --out r --steps 5" --out r --steps 5
runs "--epochs trains whole epochs" "$all --reps 6 --out r --epochs=2" --out r --epochs=2
runs "--epochs and --steps are both kept" "$all --reps 6 --out r --epochs 2 --steps 9" \
    --out r --epochs 2 --steps 9
runs "-n, --mode and --reps replace their own" \
    "--epochs 1 --steps 30 --out=r -n4 --mode procs --reps=2" --out=r -n4 --mode procs --reps=2
runs "--resume is passed alone" "--resume r" --resume r

mv "$checkout" "$work/moved"
for script in experiments/quickstart.sh tests/run.sh; do
    fact "$script in a moved checkout says what to do" ends_with 1 \
        "*was made for the checkout in $checkout,*remove it (rm -r '$work/moved/build')*DP_BUILD_DIR*" \
        "$work/moved/$script"
done
mkdir "$checkout" && fact "a copied checkout says so as well" \
    ends_with 1 "*was made for the checkout in $checkout,*" "$work/moved/tests/run.sh"
rmdir "$checkout" && mv "$work/moved" "$checkout"
sed -i 's/Ninja/Unix Makefiles/' "$checkout/build/CMakeCache.txt"
fact "a build folder of another generator says what to do" \
    ends_with 1 "*was made for Unix Makefiles,*rm -r '$checkout/build'*" "$quickstart"
fact "a folder for the build can be named" \
    ends_with 0 "*-B $work/elsewhere *dp_compare *" env DP_BUILD_DIR="$work/elsewhere" "$quickstart"

# Nobody, not even root, makes a folder below a file.
fact "a build folder that cannot be written says what to do" \
    ends_with 1 "*cannot write to $work/bin/cmake/build; copy the checkout*DP_BUILD_DIR*" \
    env DP_BUILD_DIR="$work/bin/cmake/build" "$run_tests"
stub cmake <<<'exit 1'
fact "a failed configuration names the next step" \
    ends_with 1 "*could not configure*" env DP_BUILD_DIR="$work/elsewhere" "$quickstart"
stub dpkg-query <<<'exit 1'
fact "a failed installation names the packages" ends_with 1 "*apt-get failed*g++*" "$quickstart"

((failures == 0)) || exit 1
echo "all facts about the scripts hold"
