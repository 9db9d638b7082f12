# What the scripts beside it agree on; they source it.
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${cluster%/*/*}
state=$root/.cache/cluster
cgroup=bodyguard-$(cksum <<<"$state" | cut -d ' ' -f 1)

node=node1
node_ip4=10.89.0.1 node_ip6=fd00:10:89::1
pods4=10.244.0.0/24 pods6=fd00:10:244::/64
services4=10.96.0.0/16 services6=fd00:10:96::/112
api_ip4=10.96.0.1 api_ip6=fd00:10:96::1
dns_ip4=10.96.0.10 dns_ip6=fd00:10:96::a

export PATH=$PATH:/usr/sbin:/sbin

# since MICROSECONDS: how long ago that was, as seconds with two digits
since() {
  local passed=$(((${EPOCHREALTIME/[.,]/} - $1) / 10000))
  printf '%d.%02d' $((passed / 100)) $((passed % 100))
}

# members: the processes in the cluster's control group, which are all that it has started
members() { find "/sys/fs/cgroup/pids/$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null || true; }

# node_pid: the node's process 1 as the machine sees it
node_pid() {
  local pid
  { pid=$(<"$state/node.pid"); } 2>/dev/null && [[ -e $state/started ]] && members | grep -qx "$pid" ||
    { echo "no cluster runs; conformance/cluster/up starts one" >&2; return 1; }
  echo "$pid"
}
