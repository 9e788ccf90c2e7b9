#!/usr/bin/env bash
# Runs a command as on a cluster, on one machine; usage() says how.
set -euo pipefail

usage() {
    cat <<'END'
usage: experiments/cluster/namespaces.sh [--hosts K] [--mbit M] [--delay-us D] [--] COMMAND...
Makes K hosts (2) out of network namespaces, each with a name, an address and a network card of its
own, joined by a switch, and runs COMMAND on the first of them: mpirun there starts its ranks on all,
over TCP, as on separate machines. They share this machine's CPUs, memory and files.

  --hosts K     hosts, 2 to 16
  --mbit M      what a card sends, in megabit/s (no limit)
  --delay-us D  what a card adds to the way of a packet, in microseconds (0)

COMMAND finds the hosts' names in $DP_HOSTS, with a slot each: "dp-host0:1,dp-host1:1". Open MPI's
settings are in the environment: no shared memory between hosts, and an agent in place of ssh.

  experiments/cluster/namespaces.sh --mbit 1000 mpirun -n 2 build/dp_compare --mode mpi --steps 20

Needs root and iproute2. Takes everything down again however it ends. Exit codes: COMMAND's; 2 usage;
1 when the hosts could not be made.
END
}

fail() { echo "namespaces.sh: $1" >&2 && exit "${2:-1}"; }
number() { [[ $2 =~ ^[0-9]+$ ]] && (($2 >= $3 && $2 <= $4)) || fail "$1 '$2' is not a number from $3 to $4" 2; }

hosts=2 mbit='' delay=0
while (($# > 0)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --hosts | --mbit | --delay-us)
            (($# > 1)) || fail "$1 needs a number" 2
            case $1 in
                --hosts) number "$1" "$2" 2 16 && hosts=$2 ;;
                --mbit) number "$1" "$2" 1 1000000 && mbit=$2 ;;
                --delay-us) number "$1" "$2" 0 1000000 && delay=$2 ;;
            esac
            shift 2
            ;;
        --) shift && break ;;
        -*) fail "'$1' is not an option (--help lists them)" 2 ;;
        *) break ;;
    esac
done
(($# > 0)) || { usage >&2 && exit 2; }
((EUID == 0)) || fail "only root may make network namespaces; run it with sudo"
command -v ip tc >/dev/null || fail "ip and tc are missing; install iproute2"

# Names that no other run of this script has. A card's name has 15 characters at most.
tag=dp$$
work=$(mktemp -d)
agent=$work/agent

take_down() {
    trap '' INT TERM
    for ((i = 0; i < hosts; ++i)); do
        ip netns pids "$tag-$i" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
        ip netns delete "$tag-$i" 2>/dev/null || true
        rm -rf "/etc/netns/$tag-$i"
    done
    ip link delete "$tag" 2>/dev/null || true
    rm -rf "$work"
}
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Open MPI tells hosts apart by their names, so that each has its own; and starts its daemons by
# `agent HOST COMMAND`, as it would by ssh.
cat >"$agent" <<END
#!/usr/bin/env bash
host=\$1 && shift
exec ip netns exec "$tag-\${host#dp-host}" unshare --uts sh -c "hostname \$host && \$*"
END
chmod +x "$agent"

make_hosts() {
    ip link add "$tag" type bridge
    ip link set "$tag" up
    for ((i = 0; i < hosts; ++i)); do
        local name=$tag-$i
        mkdir -p "/etc/netns/$name"
        echo "127.0.0.1 localhost" >"/etc/netns/$name/hosts"
        for ((k = 0; k < hosts; ++k)); do
            echo "10.214.0.$((k + 1)) dp-host$k" >>"/etc/netns/$name/hosts"
        done
        ip netns add "$name"
        ip link add "$tag.$i" type veth peer name eth0 netns "$name"
        ip link set "$tag.$i" master "$tag" up
        ip -n "$name" link set lo up
        ip -n "$name" addr add "10.214.0.$((i + 1))/24" dev eth0
        ip -n "$name" link set eth0 up
        limit_card "$name"
    done
}

# What the host sends is limited on its card; so is what it receives, on the others'.
limit_card() {
    local parent=root
    if ((delay > 0)); then
        tc -n "$1" qdisc add dev eth0 root handle 1: netem delay "${delay}us" limit 100000
        parent='parent 1:'
    fi
    [[ -z $mbit ]] && return
    # A burst of 1 ms, which a card that has paused may send at once, and at least one segment that
    # the card itself cuts into packets.
    local burst=$((mbit * 125 > 131072 ? mbit * 125 : 131072))
    # shellcheck disable=SC2086
    tc -n "$1" qdisc add dev eth0 $parent tbf rate "${mbit}mbit" burst "$burst" latency 50ms
}

make_hosts >&2 || fail "the hosts could not be made (see above)"
DP_HOSTS=$(for ((i = 0; i < hosts; ++i)); do printf 'dp-host%d:1,' "$i"; done)
export DP_HOSTS=${DP_HOSTS%,}
export OMPI_MCA_plm_rsh_agent=$agent OMPI_MCA_orte_default_hostfile=$work/hostfile
export OMPI_MCA_btl=self,tcp OMPI_MCA_pml=ob1 OMPI_MCA_btl_tcp_if_include=eth0
export OMPI_MCA_oob_tcp_if_include=eth0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for ((i = 0; i < hosts; ++i)); do echo "dp-host$i slots=1"; done >"$work/hostfile"

# In the background, so that a signal is heard at once.
ip netns exec "$tag-0" unshare --uts sh -c 'hostname dp-host0 && exec "$@"' - "$@" &
child=$!
trap 'kill -INT $child 2>/dev/null; wait $child || true; exit 130' INT
trap 'kill -TERM $child 2>/dev/null; wait $child || true; exit 143' TERM
wait $child
