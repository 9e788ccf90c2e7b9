#!/usr/bin/env bash
# Downloads CIFAR-10 or MNIST from the sets' own homes, checks the digests and unpacks to
# DIR/cifar-10-batches-bin or DIR/mnist. Files appear whole or not at all; what is there and checks
# out is kept. Exit codes: 0 done, 1 download, digest or disk failed, 2 usage.
set -euo pipefail

usage() {
    cat <<'END'
usage: experiments/get_data.sh cifar10|mnist [DIR] [--base ADDRESS] [--digests FILE]
  DIR              where to put the data (default: data)
  --base ADDRESS   a mirror: any address that curl knows, file:///... included
  --digests FILE   the files' MD5 digests, in md5sum's format, for a mirror of other content
END
}

fail() {
    echo "get_data.sh: $1" >&2
    exit "${2:-1}"
}

set_name=
folder=
base=
digests_file=
while (($# > 0)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --base | --digests)
            (($# >= 2)) || fail "$1 wants a value; see --help" 2
            if [[ $1 == --base ]]; then base=${2%/}; else digests_file=$2; fi
            shift
            ;;
        -*) fail "unknown option '$1'; see --help" 2 ;;
        *)
            if [[ -z $set_name ]]; then
                set_name=$1
            elif [[ -z $folder ]]; then
                folder=$1
            else
                fail "unexpected argument '$1'; see --help" 2
            fi
            ;;
    esac
    shift
done
folder=${folder:-data}

case $set_name in
    cifar10)
        base=${base:-https://www.cs.toronto.edu/~kriz}
        target=$folder/cifar-10-batches-bin
        files=(cifar-10-binary.tar.gz)
        digests='c32a1d4ab5d03f1284b67883e8d87530  cifar-10-binary.tar.gz'
        ;;
    mnist)
        base=${base:-https://ossci-datasets.s3.amazonaws.com/mnist}
        target=$folder/mnist
        files=({train,t10k}-{images-idx3,labels-idx1}-ubyte.gz)
        digests='f68b3c2dcbeaaa9fbdd348bbdeb94873  train-images-idx3-ubyte.gz
d53e105ee54ea40749a09fcbcd1e9432  train-labels-idx1-ubyte.gz
9fb629c4189551a2d022fa330f9573f3  t10k-images-idx3-ubyte.gz
ec29112dd5afa0611ce80d1b7f02629c  t10k-labels-idx1-ubyte.gz'
        ;;
    '') usage >&2 && exit 2 ;;
    *) fail "unknown data set '$set_name'; choose cifar10 or mnist" 2 ;;
esac
if [[ -n $digests_file ]]; then
    digests=$(cat -- "$digests_file") || fail "cannot read the digests in $digests_file" 2
fi

digest_of() { awk -v file="$1" '$2 == file { print $1 }' <<<"$digests"; }
for file in "${files[@]}"; do
    [[ -n $(digest_of "$file") ]] ||
        fail "$digests_file has no digest of $file; add a line for it" 2
done

# True when every line of $1 (md5sum's format) matches the files in folder $2.
checks_out() {
    (cd -- "$2" && md5sum --check --status <<<"$1") 2>/dev/null
}

# What a finished folder must hold: MNIST's files are the downloads; CIFAR-10's are listed in the
# folder by the run that unpacked them, because the archive is not kept.
if [[ -e $target ]]; then
    if [[ $set_name == mnist ]]; then
        expected=$(for file in "${files[@]}"; do echo "$(digest_of "$file")  $file"; done)
    else
        expected=$(cat -- "$target/MD5SUMS" 2>/dev/null || true)
    fi
    if [[ -n $expected ]] && checks_out "$expected" "$target"; then
        echo "$target is complete; pass --data-dir $folder"
        exit 0
    fi
    fail "$target exists but does not check out; move it away and run again"
fi

command -v curl >/dev/null || fail "curl is missing; install Debian's package curl and run again"
mkdir -p -- "$folder" || fail "cannot make the folder $folder; choose another DIR"
# Inside DIR, so that the final mv is a rename.
partial=$(mktemp -d -- "$folder/.get_data.XXXXXX") ||
    fail "cannot write to $folder; choose another DIR"
trap 'rm -rf -- "$partial"' EXIT

for file in "${files[@]}"; do
    echo "downloading $base/$file" >&2
    curl --fail --location --silent --show-error --retry 3 --output "$partial/$file" \
        "$base/$file" || fail "download of $base/$file failed; run again, or pass --base ADDRESS"
    expected=$(digest_of "$file")
    found=$(md5sum <"$partial/$file" | cut -d ' ' -f 1)
    [[ $found == "$expected" ]] ||
        fail "$base/$file has MD5 $found, expected $expected; run again, or pass another --base"
done

if [[ $set_name == cifar10 ]]; then
    tar -xzf "$partial/${files[0]}" --no-same-owner -C "$partial" ||
        fail "cannot unpack ${files[0]}; is the disk of $folder full?"
    unpacked=$partial/cifar-10-batches-bin
    [[ -d $unpacked ]] || fail "${files[0]} holds no cifar-10-batches-bin; pass another --base"
    (cd -- "$unpacked" && md5sum -- *.bin >MD5SUMS) ||
        fail "cannot write to $folder; is its disk full?"
else
    unpacked=$partial/mnist
    mkdir -- "$unpacked"
    mv -- "${files[@]/#/$partial/}" "$unpacked"
fi
mv -T -- "$unpacked" "$target"
echo "$target is complete; pass --data-dir $folder"
