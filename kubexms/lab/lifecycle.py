# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab from up to down."""

import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.lab.boot import host_key, wait_until_up
from kubexms.lab.command import Commands, Report, run
from kubexms.lab.definition import cluster_text
from kubexms.lab.image import ensure_image
from kubexms.lab.machine import locked, prepare_sysctls, remove_cgroups, restore_sysctls
from kubexms.lab.model import Host, Lab, check_name, load, make_hosts, save
from kubexms.lab.network import choose_subnet, link_is_up, link_of, routed_subnets
from kubexms.lab.podman import (
    PODMAN,
    Container,
    containers,
    create_network_argv,
    networks,
    remove_argv,
    run_argv,
)
from kubexms.lab.tools import require_root, require_tools

_MACHINE_LOCK = "machine"


@dataclass(frozen=True)
class Workspace:
    """Where labs keep their files: one directory each below ``labs``, images below ``cache``."""

    labs: Path
    cache: Path


@dataclass(frozen=True)
class Request:
    """What ``lab up`` was asked for. ``memory`` is the limit of each host in podman's notation."""

    name: str = "lab"
    hosts: int = 3
    control_planes: int = 1
    memory: str = "4g"
    install: bool = False


@dataclass(frozen=True)
class HostStatus:
    """How a host is: podman's state of its container, and whether its network is cut."""

    host: str
    address: str
    role: str
    state: str
    cut: bool


def up(ctx: Context, commands: Commands, workspace: Workspace, request: Request, report: Report) -> Lab:
    """Bring the lab to the hosts asked for: what is missing is made, what is dead started, the rest left."""
    check_name(request.name)
    require_tools(ctx, commands, report, install=request.install)
    with locked(ctx, f"lab-{request.name}", wait=False):
        image = ensure_image(ctx, commands, workspace.cache, report)
        with locked(ctx, _MACHINE_LOCK, wait=True):
            lab = _settle(ctx, commands, workspace, request, report)
        _make_key(ctx, commands, lab)
        report(f"booting {len(lab.hosts)} hosts")
        keys = _boot_all(ctx, commands, lab, image, report)
        lab.known_hosts.write_text("".join(f"{key}\n" for key in keys))
        lab.cluster_file.write_text(cluster_text(lab))
    return lab


def _settle(ctx: Context, commands: Commands, workspace: Workspace, request: Request, report: Report) -> Lab:
    """Decide what the lab is, keep that, and make its network. Under the machine's lock."""
    directory = workspace.labs / request.name
    existing = networks(ctx, commands)
    own = next((network for network in existing if network.lab == request.name), None)
    if own is not None and own.directory != str(directory):
        raise Refused(
            f"lab {request.name} belongs to {own.directory}",
            hint="choose another --name, or use its settings",
        )
    if own is not None:
        subnet = own.subnets[0]
    else:
        used = [subnet for network in existing for subnet in network.subnets]
        subnet = choose_subnet([*used, *routed_subnets(ctx, commands)])
    lab = Lab(
        name=request.name,
        directory=directory,
        subnet=subnet,
        memory=request.memory,
        hosts=make_hosts(subnet, request.hosts, request.control_planes),
    )
    _refuse_other_hosts(ctx, commands, lab)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    save(lab)
    prepare_sysctls()
    if own is None:
        report(f"making network {lab.network} {lab.subnet}")
        run(ctx, commands, create_network_argv(lab))
    return lab


def _refuse_other_hosts(ctx: Context, commands: Commands, lab: Lab) -> None:
    """Refuse to make a lab smaller: hosts go with the whole lab only."""
    wanted = {host.name for host in lab.hosts}
    present = {container.host for container in containers(ctx, commands) if container.lab == lab.name}
    if not present <= wanted:
        raise Refused(
            f"lab {lab.name} has {len(present)} hosts already, more than the {len(wanted)} asked for",
            hint=f"kubexms lab down --name {lab.name}",
        )


def _make_key(ctx: Context, commands: Commands, lab: Lab) -> None:
    """Make the lab's SSH key unless it is there."""
    if not lab.private_key.exists():
        comment = f"kubexms-lab-{lab.name}"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(lab.private_key)]
        run(ctx, commands, argv)


def _boot_all(ctx: Context, commands: Commands, lab: Lab, image: str, report: Report) -> list[str]:
    """Boot the hosts in parallel; return their lines for known_hosts in the order of the hosts."""
    present = {container.name: container for container in containers(ctx, commands)}
    public_key = lab.private_key.with_suffix(".pub").read_text().strip()

    def boot(host: Host) -> str:
        container = present.get(lab.container(host))
        if container is None:
            run(ctx, commands, run_argv(lab, host, image, public_key))
        elif not container.pid:
            run(ctx, commands, [*PODMAN, "start", container.name])
        wait_until_up(ctx, commands, lab, host)
        return host_key(ctx, commands, lab, host)

    with ThreadPoolExecutor(max_workers=len(lab.hosts)) as pool:
        futures = {pool.submit(boot, host): host for host in lab.hosts}
        return _collect(ctx, futures, report)


def _collect(ctx: Context, futures: dict[Future[str], Host], report: Report) -> list[str]:
    """Report hosts as they come up; stop the others and raise when one fails."""
    try:
        for future in as_completed(futures):
            future.result()
            report(f"{futures[future].name} {futures[future].address} is up")
    except BaseException:
        ctx.cancelled.set()
        raise
    return [future.result() for future in futures]


def down(ctx: Context, commands: Commands, workspace: Workspace, name: str, report: Report) -> None:
    """Remove all of a lab: containers, volumes, network, cgroups, files; sysctls when it was the last."""
    check_name(name)
    require_root()
    with locked(ctx, f"lab-{name}", wait=False), locked(ctx, _MACHINE_LOCK, wait=True):
        _check_owner(ctx, commands, workspace, name)
        hosts = [container.name for container in containers(ctx, commands) if container.lab == name]
        if hosts:
            report(f"removing {len(hosts)} hosts")
            run(ctx, commands, remove_argv(hosts))
        for network in networks(ctx, commands):
            if network.lab == name:
                report(f"removing network {network.name}")
                run(ctx, commands, [*PODMAN, "network", "rm", network.name])
        remove_cgroups(ctx, commands, name)
        if not any(network.lab for network in networks(ctx, commands)):
            restore_sysctls()
        shutil.rmtree(workspace.labs / name, ignore_errors=False)


def _check_owner(ctx: Context, commands: Commands, workspace: Workspace, name: str) -> None:
    """Refuse a lab that was made from another directory; raise NotFound when there is nothing of it."""
    directory = workspace.labs / name
    owned: list[str] = [c.directory for c in containers(ctx, commands) if c.lab == name]
    owned += [network.directory for network in networks(ctx, commands) if network.lab == name]
    others = set(owned) - {str(directory)}
    if others:
        raise Refused(
            f"lab {name} belongs to {', '.join(sorted(others))}", hint="use the settings it was made with"
        )
    if not owned and not directory.exists():
        raise NotFound(f"there is no lab {name}", hint="kubexms lab status lists the labs")


def status(ctx: Context, commands: Commands, lab: Lab) -> list[HostStatus]:
    """Return how each host of the lab is."""
    present = {container.name: container for container in containers(ctx, commands)}
    return [_host_status(host, present.get(lab.container(host))) for host in lab.hosts]


def _host_status(host: Host, container: Container | None) -> HostStatus:
    """Return how one host is."""
    state = container.state if container else "missing"
    cut = bool(container and container.pid and not link_is_up(link_of(container.pid)))
    role = "control-plane" if host.control_plane else "worker"
    return HostStatus(host.name, host.address, role, state, cut)


def list_labs(workspace: Workspace) -> Sequence[Lab]:
    """Return the labs that have files below ``workspace.labs``, by name."""
    return [load(workspace.labs, path.parent.name) for path in sorted(workspace.labs.glob("*/lab.json"))]
