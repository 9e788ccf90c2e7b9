#!/usr/bin/env bash
# Builds and tests this checkout in Debian 13; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: tests/debian13.sh [FOLDER]
Builds the program and its tests in Debian 13 (trixie), runs all tests there and ends with ctest's
summary. Debian 13 lives in FOLDER (~/.cache/dp_compare/debian13): debootstrap makes it the first
time, and it is kept (3 GB). The checkout is only read, and every build is a new one.

Needs root. Installs debootstrap if it is missing. Its mounts and processes are in namespaces of
their own, which end with the script however it ends. Exit codes: those of ctest; 1 when the installation or the build
failed; 2 usage.
END
}

case ${1:-} in
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 2 ;;
esac
(($# <= 1)) || { usage >&2 && exit 2; }
source "$(dirname -- "${BASH_SOURCE[0]}")/../experiments/build.sh"
((EUID == 0)) || fail "only root may mount and chroot; run it with sudo"
folder=$(realpath -m -- "${1:-${XDG_CACHE_HOME:-$HOME/.cache}/dp_compare/debian13}")

mkdir -p -- "${folder%/*}"
exec 9>"$folder.lock"
flock --nonblock 9 || fail "$folder is in use by another debian13.sh"
if [[ ! -d $folder ]]; then
    install_packages debootstrap
    rm -rf -- "$folder.new"
    debootstrap --variant=minbase --include=ca-certificates trixie "$folder.new" >&2 ||
        fail "debootstrap failed (see above)"
    mv -T -- "$folder.new" "$folder"
fi

# Whatever ends this script ends the first process of the namespaces, which takes the others and the
# mounts with it.
# shellcheck disable=SC2016
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- bash -euc '
    root=$1 folder=$2
    shift 2
    mkdir -p "$folder/source"
    mount -t proc proc "$folder/proc"
    mount --rbind /sys "$folder/sys"
    mount --rbind /dev "$folder/dev"
    mount --bind "$root" "$folder/source"
    mount -o remount,bind,ro "$folder/source"
    rm -rf "$folder/build"
    exec chroot "$folder" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 DP_BUILD_DIR=/build /source/tests/run.sh' - "$root" "$folder"
