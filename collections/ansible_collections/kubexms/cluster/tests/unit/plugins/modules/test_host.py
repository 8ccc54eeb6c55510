# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host, whole: each part as missing, as wanted, in check mode and at a second run."""

from __future__ import annotations

import errno
import json
import os
import socket

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host, _stage_host_sysctls
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

CLUSTER = {"name": "demo", "id": "id-1", "fixed": {"spec.dns.domain": "cluster.local"}}
IDENTITY = "/etc/kubexms/cluster.json"
RELEASE = os.uname().release
FSTAB = """\
UUID=1 / ext4 defaults 0 1
/swap.img none swap sw 0 0
#/dev/sdb2 none swap sw 0 0
"""
SWAPS = """\
Filename\tType\tSize\tUsed\tPriority
/swap.img file 1 0 -2
/dev/my\\040disk partition 1 0 -3
"""


@pytest.fixture
def arguments():
    return {"cluster": CLUSTER, "swap": "unmanaged"}


@pytest.fixture
def ours(host):
    """Make the host one of the cluster already."""
    host.write(IDENTITY, json.dumps(CLUSTER))
    return host


def test_a_new_host_gets_the_identity(run, host, arguments):
    assert run("host", arguments)["changed"]
    assert json.loads(host.read(IDENTITY)) == CLUSTER


def test_check_mode_writes_nothing(run, host, arguments):
    result = run("host", arguments, check=True, diff=True)
    assert result["changed"]
    assert result.row(IDENTITY) == ("", "demo (id id-1, 1 fixed settings)")
    assert result["diff"]["after"] == f"{IDENTITY}: demo (id id-1, 1 fixed settings)\n"
    assert host.files() == {}


def test_the_second_run_changes_nothing(run, ours, arguments):
    before = ours.files()
    result = run("host", arguments)
    assert not result["changed"]
    assert {path: state for path, state in ours.files().items() if "run/kubexms" not in path} == before


def test_new_fixed_settings_are_written(run, ours, arguments):
    result = run("host", {**arguments, "cluster": {**CLUSTER, "fixed": {}}})
    assert result.row(IDENTITY) == ("demo (id id-1, 1 fixed settings)", "demo (id id-1, 0 fixed settings)")


def test_a_host_of_another_cluster_is_refused(run, ours, arguments):
    result = run("host", {**arguments, "cluster": {"name": "demo", "id": "id-2"}, "hostname": "node1"})
    assert (result["failed"], result["code"], result["retriable"]) == (True, "foreign-cluster", False)
    assert "'demo' (id id-1), not to 'demo' (id id-2)" in result["msg"]
    assert json.loads(ours.read(IDENTITY)) == CLUSTER


def test_a_node_that_we_did_not_make_is_refused(run, host, arguments):
    host.write("/etc/kubernetes/kubelet.conf", "")
    result = run("host", arguments, check=True)
    assert result["code"] == "foreign-cluster"
    assert "/etc/kubernetes/kubelet.conf" in result["msg"]


def test_a_damaged_identity_is_refused(run, host, arguments):
    host.write(IDENTITY, "{")
    assert run("host", arguments)["code"] == "preflight-failed"


def test_hostname_by_hostnamectl(run, ours, programs, arguments, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "debian")
    ours.write("/etc/hostname", "debian\n")
    ours.programs("hostnamectl")
    programs.expect(["hostnamectl", "set-hostname", "node1"])
    result = run("host", {**arguments, "hostname": "node1"})
    assert result.row("hostname") == result.row("/etc/hostname") == ("debian", "node1")
    assert Record().prior("host") == {"hostname": {"live": "debian", "file": "debian\n"}}


def test_hostname_without_systemd(run, ours, programs, arguments, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "node1")
    programs.expect(["hostname", "node1"])
    assert run("host", {**arguments, "hostname": "node1"}).paths == ["/etc/hostname"]
    assert ours.read("/etc/hostname") == "node1\n"


def test_hosts_block_is_added_changed_and_taken_out(run, ours, arguments):
    ours.write("/etc/hosts", "127.0.0.1 localhost\n")
    entries = [
        {"address": "10.0.0.1", "names": ["a", "a.example"]},
        {"address": "10.0.0.1", "names": ["a", "a.example"]},
    ]
    result = run("host", {**arguments, "hosts": entries})
    assert result.row("/etc/hosts") == ("", "10.0.0.1 a a.example")
    assert ours.read("/etc/hosts") == (
        "127.0.0.1 localhost\n# BEGIN kubexms\n10.0.0.1 a a.example\n# END kubexms\n"
    )
    assert not run("host", {**arguments, "hosts": entries})["changed"]
    result = run("host", {**arguments, "hosts": [{"address": "10.0.0.2", "names": ["a"]}]})
    assert result.row("/etc/hosts") == ("10.0.0.1 a a.example", "10.0.0.2 a")
    assert run("host", arguments).row("/etc/hosts") == ("10.0.0.2 a", "")
    assert ours.read("/etc/hosts") == "127.0.0.1 localhost\n"


def test_a_hosts_file_without_our_block_is_left_as_it_is(run, ours, arguments):
    ours.write("/etc/hosts", "127.0.0.1 localhost")
    assert not run("host", arguments)["changed"]


def test_sysctls_are_set_and_kept(run, ours, arguments):
    ours.write("/proc/sys/net/ipv4/ip_forward", "0\n")
    ours.write("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
    ours.write("/proc/sys/net/ipv4/conf/eth0.5/rp_filter", "1\n")
    wanted = {
        "net.ipv4.ip_forward": 1,
        "net.ipv4.tcp_rmem": "4096 131072 6291456",
        "net.ipv4.conf.eth0/5.rp_filter": "0",
    }
    result = run("host", {**arguments, "sysctls": wanted}, diff=True)
    assert result.paths == [
        "sysctl net.ipv4.conf.eth0/5.rp_filter",
        "sysctl net.ipv4.ip_forward",
        "/etc/sysctl.d/99-kubexms.conf",
    ]
    assert ours.read("/proc/sys/net/ipv4/ip_forward") == "1"
    assert ours.read("/etc/sysctl.d/99-kubexms.conf") == (
        "# Managed by kubexms.\nnet.ipv4.conf.eth0/5.rp_filter = 0\nnet.ipv4.ip_forward = 1\n"
        "net.ipv4.tcp_rmem = 4096 131072 6291456\n"
    )
    assert "    net.ipv4.ip_forward = 1\n" in result["diff"]["after"]
    assert not run("host", {**arguments, "sysctls": wanted})["changed"]
    assert run("host", arguments).paths == ["/etc/sysctl.d/99-kubexms.conf"]
    assert not ours.path("/etc/sysctl.d/99-kubexms.conf").exists()


def test_a_sysctl_that_the_kernel_does_not_have_is_named(run, ours, arguments):
    result = run("host", {**arguments, "sysctls": {"net.ipv4.forward": "1"}}, check=True)
    assert result["code"] == "preflight-failed"
    assert "no parameter net.ipv4.forward (/proc/sys/net/ipv4/forward does not exist)" in result["msg"]


def test_a_sysctl_that_cannot_be_set_is_named(run, ours, arguments, monkeypatch):
    def refuse(path, mode, encoding):
        raise OSError(errno.EINVAL, "Invalid argument", path)

    monkeypatch.setattr(_stage_host_sysctls, "open", refuse, raising=False)
    ours.write("/proc/sys/vm/swappiness", "60\n")
    result = run("host", {**arguments, "sysctls": {"vm.swappiness": "-1"}})
    assert result["code"] == "preflight-failed"
    assert result["msg"] == "kernel parameter vm.swappiness cannot be set to '-1': Invalid argument"


def test_modules_count_as_there_in_every_way(run, ours, arguments):
    ours.write("/proc/modules", "nf_nat 1 0 - Live 0x0\n")
    ours.write("/proc/filesystems", "nodev\toverlay\n\text4\n")
    ours.write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1")
    ours.write("/sys/module/vxlan/uevent", "")
    ours.write(f"/lib/modules/{RELEASE}/modules.builtin", "kernel/net/ip-vs-x.ko\n")
    names = ["nf_nat", "overlay", "br_netfilter", "vxlan", "ip-vs-x"]
    result = run("host", {**arguments, "kernel_modules": names})
    assert result.paths == ["/etc/modules-load.d/kubexms.conf"]
    assert (
        ours.read("/etc/modules-load.d/kubexms.conf") == "# Managed by kubexms.\n" + "\n".join(names) + "\n"
    )


def test_modules_are_loaded_before_their_sysctls_are_looked_for(run, ours, programs, arguments):
    ours.write(f"/lib/modules/{RELEASE}/modules.builtin", "")
    wanted = {"kernel_modules": ["br_netfilter"], "sysctls": {"net.bridge.bridge-nf-call-iptables": "1"}}
    result = run("host", {**arguments, **wanted}, check=True)
    assert result.row("kernel module br_netfilter") == ("absent", "loaded")
    assert result.row("sysctl net.bridge.bridge-nf-call-iptables") == ("", "1")
    programs.expect(["modprobe", "br_netfilter"])
    result = run("host", {**arguments, **wanted})
    assert (result["code"], programs.seen) == ("preflight-failed", [["modprobe", "br_netfilter"]])
    assert "no parameter net.bridge.bridge-nf-call-iptables" in result["msg"]


def test_a_kernel_that_cannot_load_modules_is_refused(run, ours, arguments):
    result = run("host", {**arguments, "kernel_modules": ["overlay", "br_netfilter"]})
    assert result["code"] == "preflight-failed"
    assert f"kernel {RELEASE} lacks overlay, br_netfilter" in result["msg"]


def test_a_module_that_does_not_load_is_named(run, ours, programs, arguments):
    ours.path(f"/lib/modules/{RELEASE}").mkdir(parents=True)
    programs.expect((["modprobe", "overlay"], 1, "", "modprobe: FATAL: Module overlay not found.\n"))
    result = run("host", {**arguments, "kernel_modules": ["overlay"]})
    assert result["code"] == "preflight-failed"
    assert "kernel module overlay cannot be loaded: modprobe: FATAL" in result["msg"]


def test_swap_goes_off_now_and_at_boot(run, ours, programs):
    ours.write("/etc/fstab", FSTAB, 0o640)
    ours.write("/proc/swaps", SWAPS)
    programs.expect(["swapoff", "--all"])
    result = run("host", {"cluster": CLUSTER})
    assert result.paths == ["swap /swap.img", "swap /dev/my disk", "/etc/fstab"]
    assert result.row("/etc/fstab") == ("1 swap lines", "commented")
    assert "\n# disabled by kubexms: /swap.img none swap sw 0 0\n" in ours.read("/etc/fstab")
    assert ours.path("/etc/fstab").stat().st_mode & 0o777 == 0o640
    assert Record().prior("host")["swaps"] == ["/swap.img", "/dev/my disk"]


def test_no_swap_is_no_difference(run, ours):
    ours.write("/etc/fstab", "UUID=1 / ext4 defaults 0 1\n")
    ours.write("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
    assert not run("host", {"cluster": CLUSTER})["changed"]


DPKG = ["dpkg-query", "--show", r"--showformat=${Package} ${db:Status-Status}\n"]
APT = [
    "apt-get",
    "--yes",
    "--no-install-recommends",
    "--option=DPkg::Lock::Timeout=300",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
]


def test_packages_by_apt(run, ours, programs, arguments):
    ours.programs("dpkg-query", "apt-get")
    programs.expect(
        (
            [*DPKG, "socat", "conntrack", "old"],
            1,
            "socat installed\nold config-files\n",
            "no packages found\n",
        ),
        [*APT, "install", "conntrack", "old"],
    )
    result = run("host", {**arguments, "packages": ["socat", "conntrack", "old"]})
    assert result.paths == ["package conntrack", "package old"]
    assert programs.environments[-1]["DEBIAN_FRONTEND"] == "noninteractive"


def test_apt_lists_are_fetched_when_needed_and_its_lock_waited_for(
    run, ours, programs, arguments, monkeypatch
):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    ours.programs("dpkg-query", "apt-get")
    programs.expect(
        ([*DPKG, "socat"], 1, "", ""),
        ([*APT, "install", "socat"], 100, "", "E: Unable to locate package socat\n"),
        ([*APT, "update"], 100, "", "E: Could not get lock /var/lib/apt/lists/lock\n"),
        [*APT, "update"],
        [*APT, "install", "socat"],
    )
    assert run("host", {**arguments, "packages": ["socat"]})["changed"]


def test_mirrors_out_of_reach(run, ours, programs, arguments):
    ours.programs("dpkg-query", "apt-get")
    programs.expect(
        ([*DPKG, "socat"], 1, "", ""),
        ([*APT, "install", "socat"], 100, "", "E: Unable to locate package socat\n"),
        ([*APT, "update"], 100, "", "E: Failed to fetch\n"),
    )
    result = run("host", {**arguments, "packages": ["socat"]})
    assert (result["code"], result["tail"]) == ("command-failed", ["E: Failed to fetch"])
    assert "mirrors" in result["hint"]


def test_packages_by_dnf(run, ours, programs, arguments):
    ours.programs("rpm", "dnf")
    programs.expect(
        (
            ["rpm", "--query", r"--queryformat=%{NAME}\n", "socat", "iptables"],
            1,
            "iptables\npackage socat is not installed\n",
        ),
        ["dnf", "--assumeyes", "install", "socat"],
    )
    assert run("host", {**arguments, "packages": ["socat", "iptables"]}).paths == ["package socat"]


def test_no_package_manager(run, ours, arguments):
    assert run("host", {**arguments, "packages": ["socat"]})["code"] == "preflight-failed"


def test_revert_leaves_the_host_as_it_was(run, ours, programs, client, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "debian")
    ours.programs("hostnamectl")
    ours.write("/etc/hostname", "debian\n")
    ours.write("/etc/hosts", "127.0.0.1 localhost\n")
    ours.write("/etc/fstab", FSTAB)
    ours.write("/proc/swaps", SWAPS)
    ours.write("/proc/sys/vm/swappiness", "60\n")
    ours.write("/proc/filesystems", "nodev\toverlay\n")
    programs.expect(["hostnamectl", "set-hostname", "node1"], ["swapoff", "--all"])
    run(
        "host",
        {
            "cluster": CLUSTER,
            "hostname": "node1",
            "hosts": [{"address": "10.0.0.1", "names": ["node1"]}],
            "sysctls": {"vm.swappiness": "0"},
            "kernel_modules": ["overlay"],
        },
    )
    ours.write("/etc/hosts", ours.read("/etc/hosts") + "10.9.9.9 added-since\n")
    ours.write("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
    programs.expect(
        ["swapon", "/swap.img"], ["swapon", "/dev/my disk"], ["hostnamectl", "set-hostname", "debian"]
    )
    record = Record()
    _stage_host.revert(client, record)
    assert ours.read("/etc/hosts") == "127.0.0.1 localhost\n10.9.9.9 added-since\n"
    assert ours.read("/etc/fstab") == FSTAB
    assert ours.read("/etc/hostname") == "debian\n"
    assert ours.read("/proc/sys/vm/swappiness") == "60"
    for path in (IDENTITY, "/etc/sysctl.d/99-kubexms.conf", "/etc/modules-load.d/kubexms.conf"):
        assert not ours.path(path).exists()
    assert record.stage("host") == {}


def test_revert_without_a_hostname_file_and_with_swap_on_already(ours, programs, client):
    ours.write("/etc/hostname", "node1\n")
    ours.write("/proc/swaps", SWAPS)
    record = Record()
    record.remember("host", "hostname", {"live": "debian", "file": None})
    record.remember("host", "swaps", ["/swap.img"])
    programs.expect(["hostname", "debian"])
    _stage_host.revert(client, record)
    assert not ours.path("/etc/hostname").exists()


def test_revert_of_a_host_that_was_never_prepared(host, client):
    _stage_host.revert(client, Record())
    assert host.files() == {}
