#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The yardstick of "make bench": Kubernetes by a plain shell script, as a good administrator would write
# it. Hosts in parallel, each gets the binaries and images of its role only, by scp over one connection;
# ctr imports the images; kubeadm does the rest; no wait is longer than what it waits for.
#
#   bench/baseline.sh KIT KEY KNOWN_HOSTS CONTROL_PLANES ADDRESS...
#
# KIT             folder made by bench/kit.py: {control-plane,worker}/{bin,cni,images}/ and versions.env
# CONTROL_PLANES  how many of the addresses, from the first on, are control-plane hosts
#
# Prints "PHASE SECONDS" for each phase, and ends as kubexms does: every node is Ready and cluster DNS runs.
set -euo pipefail

KIT=$1 KEY=$2 KNOWN_HOSTS=$3 CONTROL_PLANES=$4
shift 4
HOSTS=("$@")
FIRST=${HOSTS[0]}
HERE=$(cd "$(dirname "$0")" && pwd)/baseline
WORK=$(mktemp -d)
SSH_OPTIONS=(-i "$KEY" -o "UserKnownHostsFile=$KNOWN_HOSTS" -o BatchMode=yes -o LogLevel=ERROR
  -o ControlMaster=auto -o "ControlPath=$WORK/%h" -o ControlPersist=300)
IGNORED=SystemVerification,Swap,FileContent--proc-sys-net-bridge-bridge-nf-call-iptables
# shellcheck source=/dev/null
source "$KIT/versions.env"

on() {
  local host=$1
  shift
  # shellcheck disable=SC2029 # the words are meant to be put together here
  ssh "${SSH_OPTIONS[@]}" "root@$host" "$@"
}

finish() {
  local host
  for host in "${HOSTS[@]}"; do
    ssh "${SSH_OPTIONS[@]}" -O exit "root@$host" 2>/dev/null || true
  done
  rm -rf "$WORK"
}
trap finish EXIT

# each FUNCTION HOST...: runs the function for all hosts at once; fails when one of them failed.
each() {
  local function=$1 host pids=() pid
  shift
  for host in "$@"; do
    "$function" "$host" >"$WORK/$function-$host.log" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || {
      tail -n 20 "$WORK/$function-"*.log >&2
      return 1
    }
  done
}

# phase NAME COMMAND...: runs the command and prints how long it took.
phase() {
  local name=$1 begin=$EPOCHREALTIME
  shift
  "$@"
  awk -v name="$name" -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN {printf "%s %.1f\n", name, end - begin}'
}

role_of() {
  local index
  for ((index = 0; index < CONTROL_PLANES; index++)); do
    [[ ${HOSTS[index]} == "$1" ]] && echo control-plane && return
  done
  echo worker
}

# The configuration files, the same on all hosts.
write_configuration() {
  mkdir "$WORK/etc"
  local file
  for file in "$HERE"/*; do
    sed -e "s|@PAUSE@|$PAUSE|; s|@FLANNEL@|$FLANNEL|; s|@KUBERNETES@|$KUBERNETES|; s|@ADDRESS@|$FIRST|" \
      -e "s|@ETCD_TAG@|$ETCD_TAG|; s|@COREDNS_TAG@|$COREDNS_TAG|" "$file" >"$WORK/etc/${file##*/}"
  done
}

prepare() {
  local host=$1 role
  role=$(role_of "$host")
  on "$host" mkdir -p /root/kit
  scp -q -r "${SSH_OPTIONS[@]}" "$KIT/$role/bin" "$KIT/$role/cni" "$KIT/$role/images" "$WORK/etc" "root@$host:/root/kit/"
  on "$host" sh -e <<'REMOTE'
cd /root/kit
mkdir -p /opt/cni/bin /etc/containerd /etc/kubernetes
chmod 0755 bin/* cni/*
mv bin/* /usr/local/bin/
mv cni/* /opt/cni/bin/
mv etc/containerd.toml /etc/containerd/config.toml
mv etc/*.service /etc/systemd/system/
sysctl -q -w net.ipv4.ip_forward=1
systemctl daemon-reload
systemctl enable --quiet --now containerd
systemctl enable --quiet kubelet
for image in images/*.tar; do
  ctr --namespace k8s.io images import "$image"
done
rm -rf images
REMOTE
}

init() {
  on "$FIRST" "kubeadm init --upload-certs --config /root/kit/etc/kubeadm.yaml" >"$WORK/init.log" 2>&1 || {
    tail -n 20 "$WORK/init.log" >&2
    return 1
  }
  on "$FIRST" kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f /root/kit/etc/flannel.yaml >/dev/null
}

join() {
  local host=$1 extra=""
  [[ $(role_of "$host") == worker ]] || extra="--control-plane --certificate-key $CERTIFICATE_KEY"
  on "$host" "$JOIN_COMMAND --ignore-preflight-errors $IGNORED $extra"
}

join_all() {
  JOIN_COMMAND=$(on "$FIRST" kubeadm token create --ttl 30m --print-join-command)
  CERTIFICATE_KEY=$(on "$FIRST" kubeadm init phase upload-certs --upload-certs 2>/dev/null | tail -n 1)
  each join "${HOSTS[@]:1}"
}

wait_ready() {
  on "$FIRST" kubectl --kubeconfig /etc/kubernetes/admin.conf wait --for condition=Ready --timeout 300s nodes --all >/dev/null
}

wait_dns() {
  on "$FIRST" kubectl --kubeconfig /etc/kubernetes/admin.conf --namespace kube-system wait --for condition=Available \
    --timeout 300s deployment/coredns >/dev/null
}

write_configuration
phase prepare each prepare "${HOSTS[@]}"
phase init init
phase join join_all
phase ready wait_ready
phase dns wait_dns
