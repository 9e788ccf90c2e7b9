# The Debian packages that building and testing need, and how to install those that are missing.
# Sourced by experiments/quickstart.sh and tests/run.sh; needs bash with set -e.

# shellcheck shell=bash disable=SC2034
build_packages=(
    g++ cmake ninja-build libdnnl-dev libboost-dev libspdlog-dev libfmt-dev libcli11-dev
    nlohmann-json3-dev zlib1g-dev libhwloc-dev pkg-config
    gnuplot-nox # draws the report's plots
)
# curl: tests/experiments/get_data_test.sh downloads from file:// addresses.
# python3-jsonschema: tests/experiments/schemas/schemas_test.py validates what the program writes.
# chromium: tests/experiments/report/page_test.sh opens a report in it.
# openmpi-bin, libopenmpi-dev: mode mpi.
test_packages=("${build_packages[@]}" catch2 curl python3-jsonschema chromium openmpi-bin
    libopenmpi-dev)
# What experiments/bench needs beside them.
bench_packages=("${build_packages[@]}" libopenmpi-dev openmpi-bin jq)

# Installs those of the packages $@ that are missing; without any, asks for nothing and touches
# nothing. Ends the script with exit code 1 when it cannot.
install_packages() {
    local package missing=() as_root=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "${0##*/}: this system has no Debian packages (no dpkg-query or apt-get);" \
            "see 'Building by hand' in README.md" >&2
        exit 1
    fi
    for package in "$@"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == \
            installed* ]] || missing+=("$package")
    done
    ((${#missing[@]} > 0)) || return 0

    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "${0##*/}: packages are missing, and there is no sudo to install them; as root run:" \
                "apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    echo "${0##*/}: installing ${missing[*]}" >&2
    if ! "${as_root[@]}" apt-get update -q >&2 ||
        ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" >&2; then
        echo "${0##*/}: apt-get failed (see above); install ${missing[*]} and run again" >&2
        exit 1
    fi
}
