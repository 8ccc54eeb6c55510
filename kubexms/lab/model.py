# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is: names, addresses, files. Plain data, kept as lab.json in the lab's directory."""

import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubexms.errors import NotFound, Refused

LABEL = "io.kubexms.lab"
"""Label of everything that a lab makes; its value is the lab's name."""
LABEL_HOST = "io.kubexms.lab.host"
LABEL_DIRECTORY = "io.kubexms.lab.directory"

MAX_HOSTS = 100
_FIRST_ADDRESS = 11
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True)
class Host:
    """One host: its name in the lab, its IPv4 address, its role."""

    name: str
    address: str
    control_plane: bool


@dataclass(frozen=True)
class Lab:
    """One lab. ``memory`` is podman's notation for the limit of each host, for example ``4g``.

    ``cluster`` names the cluster in its cluster.yaml. It is another one each time a lab is made, so that
    what is on record about earlier hosts of the same names is not held against the new ones.
    """

    name: str
    directory: Path
    subnet: ipaddress.IPv4Network
    memory: str
    hosts: tuple[Host, ...]
    cluster: str = ""

    @property
    def network(self) -> str:
        """Name of the podman network."""
        return f"kubexms-lab-{self.name}"

    @property
    def private_key(self) -> Path:
        """The key that logs in as root on every host."""
        return self.directory / "ssh_key"

    @property
    def known_hosts(self) -> Path:
        """The host keys, read from the hosts over podman and so pinned without trusting the network."""
        return self.directory / "known_hosts"

    @property
    def cluster_file(self) -> Path:
        """The cluster.yaml for these hosts."""
        return self.directory / "cluster.yaml"

    def container(self, host: Host) -> str:
        """Return the name of the container that is ``host``."""
        return f"{self.network}-{host.name}"

    def cgroup(self, host: Host) -> str:
        """Return the place of ``host`` in every cgroup hierarchy of this machine, without leading slash."""
        return f"kubexms-lab/{self.name}/{host.name}"

    def host(self, name: str) -> Host:
        """Return the host called ``name``."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = ", ".join(host.name for host in self.hosts)
        raise NotFound(f"lab {self.name} has no host {name}", hint=f"its hosts are {names}")


def check_name(name: str) -> None:
    """Refuse a lab name that cannot be part of container, network and cgroup names."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{name!r} cannot be a lab's name", hint="use up to 30 lower-case letters, digits and hyphens"
        )


def make_hosts(subnet: ipaddress.IPv4Network, count: int, control_planes: int) -> tuple[Host, ...]:
    """Return node1 to node<count>, the first ``control_planes`` of them for the control plane."""
    if not 1 <= control_planes <= count <= MAX_HOSTS:
        raise Refused(
            f"a lab of {count} hosts with {control_planes} control planes cannot be made",
            hint=f"ask for 1 to {MAX_HOSTS} hosts, at least one and at most all of them control planes",
        )
    return tuple(
        Host(f"node{number + 1}", str(subnet[_FIRST_ADDRESS + number]), number < control_planes)
        for number in range(count)
    )


def save(lab: Lab) -> None:
    """Write lab.json."""
    document = {
        "name": lab.name,
        "subnet": str(lab.subnet),
        "memory": lab.memory,
        "cluster": lab.cluster,
        "hosts": [vars(host) for host in lab.hosts],
    }
    (lab.directory / "lab.json").write_text(json.dumps(document, indent=2) + "\n")


def load(labs: Path, name: str) -> Lab:
    """Read the lab ``name`` below the directory ``labs``; raise NotFound when it was never made."""
    directory = labs / name
    try:
        document: dict[str, Any] = json.loads((directory / "lab.json").read_text())
    except FileNotFoundError as cause:
        raise NotFound(
            f"there is no lab {name} in {labs}", hint=f"make it: kubexms lab up --name {name}"
        ) from cause
    return Lab(
        name=document["name"],
        directory=directory,
        subnet=ipaddress.IPv4Network(document["subnet"]),
        memory=document["memory"],
        hosts=tuple(Host(**host) for host in document["hosts"]),
        cluster=document.get("cluster", ""),
    )
