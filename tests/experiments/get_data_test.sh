#!/usr/bin/env bash
# Facts about experiments/get_data.sh, shown with small files behind file:// addresses. Prints the
# facts that do not hold and exits 1 if there are any. Leaves nothing behind.
set -euo pipefail

script=$(cd -- "$(dirname -- "$0")/../.." && pwd)/experiments/get_data.sh
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

# Runs the script; its exit code must be $1 and its output must hold $2.
ends_with() { # CODE TEXT ARGUMENTS...
    local code=$1 text=$2 output status=0
    shift 2
    output=$("$script" "$@" 2>&1) || status=$?
    [[ $status == "$code" && $output == *"$text"* ]] && return
    echo "  exit code $status, expected $code; expected '$text' in: $output" >&2
    return 1
}

same_files() { diff -r "$@" >&2; }
nothing_partial() { [[ -z $(find "$1" -name '.get_data.*') ]]; }

mirror=$work/mirror
mkdir -p "$mirror/cifar-10-batches-bin"
for name in data_batch_{1..5} test_batch; do
    echo "records of $name" >"$mirror/cifar-10-batches-bin/$name.bin"
done
tar -czf "$mirror/cifar-10-binary.tar.gz" -C "$mirror" cifar-10-batches-bin
for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte; do
    echo "$name" | gzip >"$mirror/$name.gz"
done
(cd "$mirror" && md5sum -- *.gz >"$work/digests")
from_mirror=(--base "file://$mirror" --digests "$work/digests")

# Spaces in DIR on purpose.
data="$work/my data"
fact "CIFAR-10 is unpacked" ends_with 0 "is complete" cifar10 "$data" "${from_mirror[@]}"
fact "CIFAR-10's files are those of the archive" \
    same_files --exclude MD5SUMS "$mirror/cifar-10-batches-bin" "$data/cifar-10-batches-bin"
fact "MNIST is downloaded" ends_with 0 "is complete" mnist "$data" "${from_mirror[@]}"
fact "MNIST's files are those of the mirror" \
    same_files "$mirror/train-images-idx3-ubyte.gz" "$data/mnist/train-images-idx3-ubyte.gz"
fact "no temporary file is left" nothing_partial "$data"

nowhere=(--base "file://$work/nowhere" --digests "$work/digests")
fact "complete CIFAR-10 is kept" ends_with 0 "is complete" cifar10 "$data" "${nowhere[@]}"
fact "complete MNIST is kept" ends_with 0 "is complete" mnist "$data" "${nowhere[@]}"

echo damage >>"$data/cifar-10-batches-bin/test_batch.bin"
fact "damaged CIFAR-10 is neither kept nor overwritten" \
    ends_with 1 "does not check out; move it away" cifar10 "$data" "${from_mirror[@]}"
rm "$data/mnist/t10k-labels-idx1-ubyte.gz"
fact "incomplete MNIST is neither kept nor overwritten" \
    ends_with 1 "does not check out; move it away" mnist "$data" "${from_mirror[@]}"

fresh=$work/fresh
fact "a wrong digest names the file, both digests and the next step" \
    ends_with 1 "expected c32a1d4ab5d03f1284b67883e8d87530; run again" \
    cifar10 "$fresh" --base "file://$mirror"
fact "a failed download names the address" \
    ends_with 1 "download of file://$work/nowhere/train-images-idx3-ubyte.gz failed; run again" \
    mnist "$fresh" "${nowhere[@]}"
fact "after a failure no MNIST is there" [ ! -e "$fresh/mnist" ]
fact "after a failure no CIFAR-10 is there" [ ! -e "$fresh/cifar-10-batches-bin" ]
fact "after a failure no temporary file is left" nothing_partial "$fresh"

fact "no data set is a usage error" ends_with 2 "usage:"
fact "an unknown data set is named" ends_with 2 "unknown data set 'cifar9'; choose" cifar9
fact "an unknown option is named" ends_with 2 "unknown option '--bsae'" mnist --bsae x
fact "an option without its value is named" ends_with 2 "--base wants a value" mnist --base
fact "unreadable digests are named" \
    ends_with 2 "cannot read the digests in $work/none" mnist "$fresh" --digests "$work/none"
grep -v t10k-labels "$work/digests" >"$work/short"
fact "a missing digest is named" ends_with 2 "has no digest of t10k-labels-idx1-ubyte.gz; add" \
    mnist "$fresh" --digests "$work/short"

((failures == 0)) || exit 1
echo "all facts about get_data.sh hold"
