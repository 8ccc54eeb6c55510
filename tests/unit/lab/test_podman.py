# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of podman word by word, and recorded output read back."""

import ipaddress
from typing import Any

from kubexms.context import Context
from kubexms.lab.model import Lab
from kubexms.lab.podman import (
    Container,
    Network,
    containers,
    create_network_argv,
    exec_argv,
    mac_address,
    networks,
    remove_argv,
    run_argv,
)

PODMAN = ["podman", "--runtime=runc", "--cgroup-manager=cgroupfs", "--network-backend=netavark"]


def test_network(lab: Lab) -> None:
    assert create_network_argv(lab) == [
        *PODMAN,
        "network",
        "create",
        "--driver=bridge",
        "--disable-dns",
        "--subnet=10.77.0.0/24",
        "--label=io.kubexms.lab=dev",
        f"--label=io.kubexms.lab.directory={lab.directory}",
        "kubexms-lab-dev",
    ]


def test_host(lab: Lab) -> None:
    assert run_argv(lab, lab.host("node2"), "image:1", "ssh-ed25519 AAAA dev", modules=False) == [
        *PODMAN,
        "run",
        "--detach",
        "--name=kubexms-lab-dev-node2",
        "--hostname=node2",
        "--label=io.kubexms.lab=dev",
        "--label=io.kubexms.lab.host=node2",
        f"--label=io.kubexms.lab.directory={lab.directory}",
        "--privileged",
        "--systemd=always",
        "--cgroupns=private",
        "--cgroup-parent=/kubexms-lab/dev/node2",
        "--network=kubexms-lab-dev",
        "--ip=10.77.0.12",
        "--mac-address=02:00:0a:4d:00:0c",
        "--no-hosts",
        "--memory=4g",
        "--pids-limit=16384",
        "--ulimit=nofile=20000:20000",
        "--ulimit=nproc=32768:32768",
        "--volume=/var/lib/containerd",
        "--volume=/var/lib/kubelet",
        "--volume=/var/lib/etcd",
        "image:1",
        "/sbin/lab-init",
        "kubexms-lab/dev/node2",
        "ssh-ed25519 AAAA dev",
    ]


def test_a_host_gets_the_kernel_modules_of_a_machine_that_has_any(lab: Lab) -> None:
    plain = run_argv(lab, lab.hosts[0], "image:1", "key", modules=False)
    argv = run_argv(lab, lab.hosts[0], "image:1", "key", modules=True)
    assert [word for word in argv if word not in plain] == ["--volume=/lib/modules:/lib/modules:ro"]


def test_every_host_has_a_hardware_address_of_its_own(lab: Lab) -> None:
    assert len({mac_address(host) for host in lab.hosts}) == len(lab.hosts)


def test_exec_and_remove() -> None:
    assert exec_argv("c", ["cat", "/etc/machine-id"]) == [*PODMAN, "exec", "c", "cat", "/etc/machine-id"]
    assert remove_argv(["a", "b"]) == [*PODMAN, "rm", "--force", "--time=0", "--volumes", "a", "b"]


def test_containers_are_read_in_order_of_their_names(ctx: Context, recorded: Any, lab: Lab) -> None:
    directory = str(lab.directory)
    assert containers(ctx, recorded) == [
        Container("dev", "node1", directory, "kubexms-lab-dev-node1", "exited", 0),
        Container("dev", "node2", directory, "kubexms-lab-dev-node2", "running", 14567),
    ]
    assert recorded.calls == [[*PODMAN, "ps", "--all", "--filter=label=io.kubexms.lab", "--format=json"]]


def test_networks_of_labs_and_of_others_are_told_apart(ctx: Context, recorded: Any, lab: Lab) -> None:
    assert networks(ctx, recorded) == [
        Network("kubexms-lab-dev", "dev", str(lab.directory), (ipaddress.IPv4Network("10.77.0.0/24"),)),
        Network("podman", "", "", (ipaddress.IPv4Network("10.88.0.0/16"),)),
    ]
    assert recorded.calls[1] == [*PODMAN, "network", "inspect", "kubexms-lab-dev", "podman"]


def test_a_machine_without_networks(ctx: Context, table: Any) -> None:
    assert networks(ctx, table) == []
