# SPDX-License-Identifier: GPL-3.0-or-later
"""The podman command lines of the lab, and the reading of their output."""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubexms.context import Context
from kubexms.lab.command import Commands, run
from kubexms.lab.model import LABEL, LABEL_DIRECTORY, LABEL_HOST, Host, Lab

# runc, because crun refuses machines with cgroup v1 and v2 side by side; cgroupfs, so that a host's
# groups lie where the lab says; netavark, because the choice otherwise depends on the machine's past.
PODMAN = ("podman", "--runtime=runc", "--cgroup-manager=cgroupfs", "--network-backend=netavark")

# Overlay on overlay fails: what containerd, kubelet and etcd write goes to volumes of the machine.
VOLUMES = ("/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd")
# Kernel modules of the machine, where it has any: hosts load what they need from there.
MODULES = "/lib/modules"
# Limits that processes on the hosts may not raise, because the machine may lack CAP_SYS_RESOURCE.
ULIMITS = ("nofile=20000:20000", "nproc=32768:32768")
PIDS_LIMIT = 16384


@dataclass(frozen=True)
class Container:
    """A container that a lab made. ``pid`` is 0 unless it is running."""

    lab: str
    host: str
    directory: str
    name: str
    state: str
    pid: int


@dataclass(frozen=True)
class Network:
    """A podman network; ``lab`` is empty for networks that no lab made."""

    name: str
    lab: str
    directory: str
    subnets: tuple[ipaddress.IPv4Network, ...]


def create_network_argv(lab: Lab) -> list[str]:
    """Return the argv that makes the lab's network, without name service: hosts have their own."""
    return [
        *PODMAN, "network", "create", "--driver=bridge", "--disable-dns", f"--subnet={lab.subnet}",
        f"--label={LABEL}={lab.name}", f"--label={LABEL_DIRECTORY}={lab.directory}", lab.network,
    ]  # fmt: skip


def run_argv(lab: Lab, host: Host, image: str, public_key: str, *, modules: bool) -> list[str]:
    """Return the argv that makes and boots ``host``; ``modules`` where the machine has kernel modules."""
    return [
        *PODMAN, "run", "--detach", f"--name={lab.container(host)}", f"--hostname={host.name}",
        f"--label={LABEL}={lab.name}", f"--label={LABEL_HOST}={host.name}",
        f"--label={LABEL_DIRECTORY}={lab.directory}",
        "--privileged", "--systemd=always", "--cgroupns=private", f"--cgroup-parent=/{lab.cgroup(host)}",
        f"--network={lab.network}", f"--ip={host.address}", f"--mac-address={mac_address(host)}",
        "--no-hosts", f"--memory={lab.memory}", f"--pids-limit={PIDS_LIMIT}",
        *(f"--ulimit={limit}" for limit in ULIMITS), *(f"--volume={path}" for path in VOLUMES),
        *([f"--volume={MODULES}:{MODULES}:ro"] if modules else []),
        image, "/sbin/lab-init", lab.cgroup(host), public_key,
    ]  # fmt: skip


def mac_address(host: Host) -> str:
    """Return the hardware address of ``host``: the same at every start, or neighbours would miss it for long.

    Locally administered (IEEE 802, second bit), with the IPv4 address as its last four bytes.
    """
    return ":".join(f"{byte:02x}" for byte in (2, 0, *ipaddress.IPv4Address(host.address).packed))


def exec_argv(container: str, argv: Sequence[str]) -> list[str]:
    """Return the argv that runs ``argv`` in a container."""
    return [*PODMAN, "exec", container, *argv]


def remove_argv(containers: Sequence[str]) -> list[str]:
    """Return the argv that removes containers at once, with their anonymous volumes."""
    return [*PODMAN, "rm", "--force", "--time=0", "--volumes", *containers]


def containers(ctx: Context, commands: Commands) -> list[Container]:
    """Return the containers that labs made on this machine, in the order of their names."""
    argv = [*PODMAN, "ps", "--all", f"--filter=label={LABEL}", "--format=json"]
    return sorted(
        (parse_container(entry) for entry in json.loads(run(ctx, commands, argv))), key=lambda c: c.name
    )


def parse_container(entry: dict[str, Any]) -> Container:
    """Read one element of ``podman ps --format=json``."""
    labels = entry["Labels"]
    return Container(
        lab=labels[LABEL],
        host=labels.get(LABEL_HOST, ""),
        directory=labels.get(LABEL_DIRECTORY, ""),
        name=entry["Names"][0],
        state=entry["State"],
        pid=entry["Pid"],
    )


def networks(ctx: Context, commands: Commands) -> list[Network]:
    """Return every podman network of this machine: a new lab must stay clear of all of them."""
    names = run(ctx, commands, [*PODMAN, "network", "ls", "--quiet"]).split()
    if not names:
        return []
    return [
        parse_network(entry)
        for entry in json.loads(run(ctx, commands, [*PODMAN, "network", "inspect", *names]))
    ]


def parse_network(entry: dict[str, Any]) -> Network:
    """Read one element of ``podman network inspect``."""
    labels = entry.get("labels") or {}
    subnets = (ipaddress.ip_network(subnet["subnet"]) for subnet in entry.get("subnets") or [])
    return Network(
        name=entry["name"],
        lab=labels.get(LABEL, ""),
        directory=labels.get(LABEL_DIRECTORY, ""),
        subnets=tuple(subnet for subnet in subnets if isinstance(subnet, ipaddress.IPv4Network)),
    )
