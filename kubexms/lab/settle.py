# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab shall be: the request, filled up from the lab of that name where there is one."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.lab.command import Commands
from kubexms.lab.model import Lab, check_name, load, make_hosts
from kubexms.lab.network import choose_subnet, routed_subnets
from kubexms.lab.podman import Container, Network, containers, networks

DEFAULT_HOSTS = 3
DEFAULT_CONTROL_PLANES = 1
DEFAULT_MEMORY = "4g"


@dataclass(frozen=True)
class Workspace:
    """Where labs keep their files: one directory each below ``labs``, images below ``cache``."""

    labs: Path
    cache: Path


@dataclass(frozen=True)
class Request:
    """What ``lab up`` was asked for. None is what the lab has already, else the default.

    ``memory`` is the limit of each new host in podman's notation, for example ``4g``.
    """

    name: str
    hosts: int | None = None
    control_planes: int | None = None
    memory: str | None = None
    install: bool = False


@dataclass(frozen=True)
class Found:
    """What podman has of one lab, and every network of this machine."""

    containers: tuple[Container, ...]
    network: Network | None
    networks: tuple[Network, ...]


def find(ctx: Context, commands: Commands, workspace: Workspace, name: str) -> Found:
    """Look for a lab; refuse one that was made from another directory."""
    everything = tuple(networks(ctx, commands))
    found = Found(
        containers=tuple(container for container in containers(ctx, commands) if container.lab == name),
        network=next((network for network in everything if network.lab == name), None),
        networks=everything,
    )
    owners = {container.directory for container in found.containers}
    if found.network is not None:
        owners.add(found.network.directory)
    others = sorted(owners - {str(workspace.labs / name)})
    if others:
        raise Refused(
            f"lab {name} was made from {', '.join(others)}",
            hint="choose another --name, or use the KUBEXMS_STATE_DIR it was made with",
        )
    return found


def settle(ctx: Context, commands: Commands, workspace: Workspace, request: Request, found: Found) -> Lab:
    """Return the lab that the request asks for. Changes nothing; looks at this machine's routes."""
    check_name(request.name)
    previous = _previous(workspace, request.name)
    if found.network is not None:
        subnet = found.network.subnets[0]
    else:
        used = [subnet for network in found.networks for subnet in network.subnets]
        subnet = choose_subnet([*used, *routed_subnets(ctx, commands)])
    control_planes = (
        sum(host.control_plane for host in previous.hosts) if previous else DEFAULT_CONTROL_PLANES
    )
    lab = Lab(
        name=request.name,
        directory=workspace.labs / request.name,
        subnet=subnet,
        memory=request.memory or (previous.memory if previous else DEFAULT_MEMORY),
        hosts=make_hosts(
            subnet,
            request.hosts or (len(previous.hosts) if previous else DEFAULT_HOSTS),
            request.control_planes or control_planes,
        ),
        cluster=previous.cluster if previous else f"{request.name}-{secrets.token_hex(3)}",
    )
    _refuse_fewer_hosts(lab, found)
    return lab


def _previous(workspace: Workspace, name: str) -> Lab | None:
    """Return the lab that is kept under this name, or None."""
    try:
        return load(workspace.labs, name)
    except NotFound:
        return None


def _refuse_fewer_hosts(lab: Lab, found: Found) -> None:
    """Refuse to make a lab smaller: hosts go with the whole lab only."""
    wanted = {host.name for host in lab.hosts}
    present = {container.host for container in found.containers}
    if not present <= wanted:
        raise Refused(
            f"lab {lab.name} has {len(present)} hosts already, more than the {len(wanted)} asked for",
            hint=f"remove it first: kubexms lab down --name {lab.name}",
        )
