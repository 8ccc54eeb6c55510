# SPDX-License-Identifier: GPL-3.0-or-later
"""The module reset, whole: what goes, what comes back, and that others' things stay."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_reset_network as network
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import DATA, join_host

IDENTITY = "/etc/kubexms/cluster.json"
SAVED = (DATA / "iptables-save-1.8.9-kubelet.txt").read_text()
TABLES = (DATA / "nft-1.0.6-tables-node.txt").read_text()
LEFT = "table inet filter\ntable ip filter\n"

STOP = ["systemctl", "disable", "--now", "kubelet.service"]
SLICE = ["systemctl", "stop", "kubepods.slice"]
RELOAD = ["systemctl", "daemon-reload"]
RESET_FAILED = ["systemctl", "reset-failed", "kubelet.service"]
NFT = ["nft", "list", "tables"]
RESET = [
    *["kubeadm", "reset", "--force", "--cri-socket", "unix:///run/containerd/containerd.sock"],
    *["--skip-phases", "preflight,remove-etcd-member"],
]


@pytest.fixture
def bare(host):
    """Make a host that carries our identity and nothing else; it has no program of the network."""
    host.write("/proc/self/mounts", "")
    host.write("/proc/self/comm", "python3\n")
    host.write(IDENTITY, json.dumps({"name": "demo", "id": "1"}))


@pytest.fixture
def full(bare, host):
    """Make a control plane with Pods, as role by role left it; files of others lie beside."""
    join_host(host)
    host.programs("kubeadm", "nft", "iptables-save")
    for name in ("cni0", "flannel.1", "eth0"):
        host.write(f"/sys/class/net/{name}/address", "")
    host.write("/run/flannel/subnet.env", "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_MTU=1450\n")
    host.write("/etc/cni/net.d/10-flannel.conflist", "{}")
    host.write("/etc/cni/net.d/87-podman.conflist", "theirs")
    host.write("/var/lib/cni/results/cbr0-1-eth0", "{}")
    host.write("/var/lib/etcd/member/wal", "")
    files = {
        str(host.path(path)): None for path in ("/etc/default/kubelet", "/etc/systemd/system/kubelet.service")
    }
    for path in files:
        host.write(path.removeprefix(str(host.root)), "ours")
    binary = host.write("/usr/local/bin/kubelet", "binary")
    state = {"kubelet": {"files": files, "prior": {"mounts": 0}}, "files": {"files": {str(binary): None}}}
    host.write("/var/lib/kubexms/state.json", json.dumps(state))


def test_a_host_that_is_not_ours_is_not_touched(run, host):
    join_host(host)
    host.programs("kubeadm", "nft")
    before = host.files()
    assert not run("reset", {})["changed"]
    assert host.files().keys() - before.keys() == {"run/kubexms/lock"}


def test_another_cluster_is_refused(run, bare):
    result = run("reset", {"cluster": {"name": "other", "id": "2"}})
    assert result["code"] == "foreign-cluster"
    assert "demo" in result["msg"]


def test_check_mode_lists_what_would_go(run, host, programs, full):
    before = host.files()
    programs.expect((NFT, 0, TABLES), (["iptables-save"], 0, SAVED))
    result = run("reset", {"cluster": {"id": "1"}}, check=True)
    assert host.files() == before
    assert result.row("/etc/kubernetes") == ("present", "")
    assert result.row("interface cni0") == ("present", "")
    assert result.row("nftables table ip kube-proxy") == ("present", "")
    assert result.row("iptables nat chain KUBE-KUBELET-CANARY") == ("present", "")
    assert result.row("/usr/local/bin/kubelet") == ("written", "as before")
    assert result.row("kubelet mounts") == ("changed", "as before")
    assert not [path for path in result.paths if "eth0" in path and "cbr0" not in path]


def test_everything_goes_and_others_things_stay(run, host, programs, full):
    look = [(NFT, 0, TABLES), (["iptables-save"], 0, SAVED)]
    own = [["ip", "kube-proxy"], ["ip6", "kube-proxy"], ["ip", "flannel-ipv4"], ["ip6", "flannel-ipv6"]]
    programs.expect(
        *look,
        (STOP, 5, "", "not loaded"),
        RESET,
        SLICE,
        ["ip", "link", "delete", "cni0"],
        ["ip", "link", "delete", "flannel.1"],
        (NFT, 0, TABLES),
        *[["nft", "delete", "table", *table] for table in own],
        (["iptables-save"], 0, SAVED),
        ["iptables-restore", "--noflush"],
        (["iptables-save"], 0, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
        (NFT, 0, LEFT),
        ["nft", "delete", "table", "ip", "filter"],
        ["ip", "-4", "route", "flush", "root", "10.244.0.0/16"],
        RELOAD,
        RESET_FAILED,
    )
    assert run("reset", {})["changed"]
    script = programs.data[programs.seen.index(["iptables-restore", "--noflush"])]
    assert "-D INPUT -j KUBE-FIREWALL\n" in script
    ours = [path for path in host.files() if not path.startswith(("proc/", "sys/", "usr/bin/"))]
    assert ours == ["etc/cni/net.d/87-podman.conflist"]
    assert not host.path("/run/kubexms").exists()
    assert not run("reset", {})["changed"]


def test_a_host_without_kubernetes_only_loses_our_identity(run, host, programs, bare):
    programs.expect(STOP, SLICE, RELOAD, RESET_FAILED)
    assert run("reset", {}).paths == ["/etc/kubexms"]
    assert not host.path("/etc/kubexms").exists()


def test_a_reset_that_fails_can_go_on(run, host, programs, full):
    programs.expect((NFT, 0, ""), (["iptables-save"], 0, ""), STOP, (RESET, 1, "", "error: no runtime"))
    result = run("reset", {})
    assert result["msg"] == "kubeadm reset failed: no runtime"
    assert host.path(IDENTITY).exists()
    assert not host.path("/etc/kubernetes/admin.conf").exists(), "kubeadm does not ask a cluster that goes"


class TestRules:
    """The scripts for iptables, from what iptables-save prints."""

    FOREIGN = "*filter\n:INPUT DROP [0:0]\n:MINE - [0:0]\n-A INPUT -j MINE\n-A MINE -j ACCEPT\nCOMMIT\n"

    def test_rules_of_others_are_left_out(self):
        assert network.removal_script(network.parse_save(self.FOREIGN)) == ""

    def test_ways_into_our_chains_go_first(self):
        text = self.FOREIGN.replace(
            ":MINE - [0:0]\n",
            ":MINE - [0:0]\n:KUBE-FORWARD - [0:0]\n:FLANNEL-FWD - [0:0]\n"
            '-A INPUT -m comment --comment "x y" -j KUBE-FORWARD\n-A INPUT -g FLANNEL-FWD\n'
            "-A KUBE-FORWARD -j FLANNEL-FWD\n",
        )
        assert network.removal_script(network.parse_save(text)).splitlines() == [
            "*filter",
            '-D INPUT -m comment --comment "x y" -j KUBE-FORWARD',
            "-D INPUT -g FLANNEL-FWD",
            "-F KUBE-FORWARD",
            "-F FLANNEL-FWD",
            "-X KUBE-FORWARD",
            "-X FLANNEL-FWD",
            "COMMIT",
        ]

    @pytest.mark.parametrize(
        ("text", "empty"),
        [
            ("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", ["filter"]),
            ("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", []),
            ("*filter\n:INPUT ACCEPT [0:0]\n:MINE - [0:0]\nCOMMIT\n", []),
            ("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n", []),
            ("*theirs\n:INPUT ACCEPT [0:0]\nCOMMIT\n", []),
        ],
    )
    def test_empty_tables(self, text, empty):
        assert network.empty_tables(network.parse_save(text)) == empty

    def test_recorded_output(self):
        tables = network.parse_save(SAVED)
        assert network.own_chains(tables["filter"]) == ["KUBE-FIREWALL", "KUBE-KUBELET-CANARY"]
        assert network.own_chains(tables["mangle"]) == ["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY"]

    def test_the_pod_network(self):
        assert network.pod_network("FLANNEL_NETWORK=10.1.0.0/16\n") == "10.1.0.0/16"
        assert network.pod_network("") == ""
