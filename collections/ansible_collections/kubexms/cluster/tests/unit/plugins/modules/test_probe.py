# SPDX-License-Identifier: GPL-3.0-or-later
"""The module probe, whole: a bare host, a member, and stages that cannot be compared."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _probe, _probe_facts
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import (
    DATA,
    INPUTS,
    KUBEADM,
    join_host,
    record,
)

ADDRESSES = ["ip", "-json", "address", "show"]
LINKS = [
    {"addr_info": [{"local": "127.0.0.1", "scope": "host"}]},
    {"addr_info": [{"local": "10.77.2.11", "scope": "global"}, {"local": "fe80::1", "scope": "link"}]},
    {},
]
IP = (ADDRESSES, 0, json.dumps(LINKS))


@pytest.fixture
def look(run):
    """Return a function from stages to the observation."""

    def observe(**stages):
        result = run(
            "probe", {"stages": json.dumps({name.replace("_", "-"): p for name, p in stages.items()})}
        )
        assert not result["changed"]
        return result["observation"]

    return observe


@pytest.fixture
def machine(host, programs):
    """Make a machine; the table of programs is what a look at it calls."""
    host.write("/etc/machine-id", "abc\n")
    host.write("/proc/sys/kernel/random/boot_id", "def\n")
    host.write("/proc/meminfo", "MemTotal:  2048 kB\nSwapTotal:  1 kB\nHugePages_Total:  0\n")
    host.write("/etc/os-release", 'NAME="Debian"\nVERSION_ID="12"\nID=debian\n')
    programs.expect(IP)


@pytest.fixture
def versions(host, programs, machine):
    """Have a kubelet and a containerd that say their versions."""
    host.programs("containerd")
    kubelet = [str(host.path("/usr/local/bin/kubelet")), "--version"]
    containerd = (["containerd", "--version"], 0, "containerd github.com/x/v2 2.2.9+unknown \n")
    programs.expect((kubelet, 0, "Kubernetes v1.36.3\n"), containerd, IP)


def test_a_host_that_never_saw_us(look, host, machine):
    before = host.files()
    found = look()
    assert host.files() == before
    assert (found["cluster"], found["control_plane"], found["certificates"]) == (None, None, [])
    assert found["kubernetes"] == {
        "joined": False,
        "control_plane": False,
        "foreign": False,
        "kubelet_version": "",
        "containerd_version": "",
    }
    assert (
        found["facts"].items()
        >= {
            "machine_id": "abc",
            "boot_id": "def",
            "distribution": {"id": "debian", "version": "12"},
            "memory_bytes": 2048 * 1024,
            "swap_bytes": 1024,
            "addresses": ["10.77.2.11"],
        }.items()
    )


def test_a_machine_without_files(look, programs):
    programs.expect((ADDRESSES, 0, ""))
    facts = look()["facts"]
    assert (facts["machine_id"], facts["memory_bytes"], facts["addresses"]) == ("", 0, [])
    assert facts["distribution"] == {"id": "", "version": ""}


def test_a_control_plane_shows_the_cluster(look, host, cluster, versions):
    join_host(host)
    record(host, kubeadm={"state": "done", "inputs": INPUTS})
    host.write("/etc/kubexms/cluster.json", json.dumps({"name": "demo", "id": "1"}))
    cluster.add_node("node1", ready=False)
    cluster.members = json.loads((DATA / "etcd-3.6.16-members.json").read_text())["members"]
    found = look(init=KUBEADM, control_plane=KUBEADM)
    assert found["cluster"] == {"name": "demo", "id": "1"}
    assert found["kubernetes"] == {
        "joined": True,
        "control_plane": True,
        "foreign": False,
        "kubelet_version": "v1.36.3",
        "containerd_version": "v2.2.9+unknown",
    }
    view = found["control_plane"]
    assert (view["healthy"], view["error"]) == (True, "")
    assert view["nodes"] == [
        {"name": "node1", "ready": False, "kubelet_version": "v1.36.3", "internal_address": "10.77.2.13"}
    ]
    assert view["etcd_members"][0] == {"name": "node2", "started": True, "learner": False}
    assert found["stages"]["init"] == {"differences": [], "error": None}
    assert len(found["stages"]["control-plane"]["differences"]) == 4, "manifests that were not recorded"
    assert [entry["path"] for entry in found["certificates"]] == ["/etc/kubernetes/pki/ca.crt"]


def test_a_silent_api_server_is_told(look, host, cluster, versions):
    join_host(host)
    cluster.mishaps[("GET", "/api/v1/nodes")] = [OSError("refused")]
    view = look()["control_plane"]
    assert (view["healthy"], view["nodes"]) == (False, [])
    assert "refused" in view["error"]


@pytest.mark.parametrize("control_plane", [True, False])
def test_a_join_that_was_cut_off_is_none(look, host, versions, control_plane):
    join_host(host, control_plane=control_plane)
    record(host, kubeadm={"state": "started"})
    found = look(join={**KUBEADM, "control_plane": control_plane})
    assert not found["kubernetes"]["joined"]
    assert not found["kubernetes"]["foreign"]
    assert found["control_plane"] is None
    (difference,) = found["stages"]["join"]["differences"]
    assert difference["before"] == "half made"


def test_a_member_that_was_made_otherwise_is_foreign(look, host, programs, versions):
    join_host(host, control_plane=False)
    programs.table[0] = programs.table[0]._replace(status=1, stdout="")
    found = look()["kubernetes"]
    assert (found["foreign"], found["kubelet_version"]) == (True, "")


def test_a_stage_that_cannot_be_compared_keeps_no_other_from_it(look, host, machine):
    host.write("/etc/kubernetes/admin.conf", "")
    stages = look(init=KUBEADM, nodes={"nodes": []}, kubelet={"extra_args": 7}, other={})["stages"]
    assert stages["init"]["error"]["code"] == "preflight-failed"
    assert stages["nodes"] == {"differences": [], "error": None}
    assert stages["kubelet"]["error"]["code"] == stages["other"]["error"]["code"] == "invalid-input"
    assert "extra_args" in stages["kubelet"]["error"]["msg"]


def test_a_disk_that_cannot_be_read_is_an_error_of_one_stage(look, machine, monkeypatch):
    def broken(_client, _params):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_probe.STAGES["nodes"], "compare", broken)
    assert look(nodes={"nodes": []})["stages"]["nodes"]["error"]["code"] == "system-error"


def test_every_stage_is_known():
    assert list(_probe.STAGES) == [
        *["host", "files", "runtime", "images", "kubelet", "init", "addons", "join"],
        *["control-plane", "nodes", "reset"],
    ]


@pytest.mark.parametrize("text", ["", "[]"])
def test_no_addresses(text):
    assert _probe_facts.parse_addresses(text) == []
