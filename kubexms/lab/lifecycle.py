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
from kubexms.lab.model import Host, Lab, check_name, load, save
from kubexms.lab.network import link_is_up, link_of
from kubexms.lab.podman import (
    MODULES,
    PODMAN,
    Container,
    containers,
    create_network_argv,
    networks,
    remove_argv,
    run_argv,
)
from kubexms.lab.settle import Request, Workspace, find, settle
from kubexms.lab.tools import require_root, require_tools

_MACHINE_LOCK = "machine"
_IMAGE_LOCK = "image"
_BOOTS_AT_ONCE = 16


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
        with locked(ctx, _IMAGE_LOCK, wait=True):
            image = ensure_image(ctx, commands, workspace.cache, report)
        with locked(ctx, _MACHINE_LOCK, wait=True):
            lab = _prepare(ctx, commands, workspace, request, report)
        _make_key(ctx, commands, lab)
        report(f"booting {len(lab.hosts)} hosts")
        keys = _boot_all(ctx, commands, lab, image, report)
        lab.known_hosts.write_text("".join(f"{key}\n" for key in keys))
        lab.cluster_file.write_text(cluster_text(lab))
    return lab


def _prepare(ctx: Context, commands: Commands, workspace: Workspace, request: Request, report: Report) -> Lab:
    """Decide what the lab is, keep that, and make its network."""
    found = find(ctx, commands, workspace, request.name)
    lab = settle(ctx, commands, workspace, request, found)
    lab.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    save(lab)
    prepare_sysctls()
    if found.network is None:
        report(f"making network {lab.network} {lab.subnet}")
        run(ctx, commands, create_network_argv(lab))
    return lab


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
    modules = Path(MODULES).is_dir()

    def boot(host: Host) -> str:
        container = present.get(lab.container(host))
        if container is None:
            run(ctx, commands, run_argv(lab, host, image, public_key, modules=modules))
        elif not container.pid:
            run(ctx, commands, [*PODMAN, "start", container.name])
        wait_until_up(ctx, commands, lab, host)
        return host_key(ctx, commands, lab, host)

    with ThreadPoolExecutor(max_workers=min(len(lab.hosts), _BOOTS_AT_ONCE)) as pool:
        futures = {pool.submit(boot, host): host for host in lab.hosts}
        return _collect(ctx, futures, report)


def _collect(ctx: Context, futures: dict[Future[str], Host], report: Report) -> list[str]:
    """Report hosts as they come up; when one fails, end the others and raise its error."""
    try:
        for future in as_completed(futures):
            future.result()
            report(f"{futures[future].name} {futures[future].address} is up")
    except BaseException:
        ctx.cancelled.set()
        raise
    return [future.result() for future in futures]


def down(ctx: Context, commands: Commands, workspace: Workspace, name: str, report: Report) -> None:
    """Remove all of a lab: hosts, volumes, network, cgroups, files; set back sysctls after the last one."""
    check_name(name)
    require_root()
    with locked(ctx, f"lab-{name}", wait=False), locked(ctx, _MACHINE_LOCK, wait=True):
        directory = workspace.labs / name
        found = find(ctx, commands, workspace, name)
        if not (found.containers or found.network or directory.exists()):
            raise NotFound(f"there is no lab {name}", hint="kubexms lab status lists the labs")
        if found.containers:
            report(f"removing {len(found.containers)} hosts")
            run(ctx, commands, remove_argv([container.name for container in found.containers]))
        if found.network:
            report(f"removing network {found.network.name}")
            run(ctx, commands, [*PODMAN, "network", "rm", found.network.name])
        remove_cgroups(ctx, commands, name)
        if not any(network.lab for network in networks(ctx, commands)):
            restore_sysctls()
        if directory.exists():
            shutil.rmtree(directory)


def status(ctx: Context, commands: Commands, lab: Lab) -> list[HostStatus]:
    """Return how each host of the lab is."""
    require_root()
    present = {container.name: container for container in containers(ctx, commands)}
    return [_host_status(host, present.get(lab.container(host))) for host in lab.hosts]


def _host_status(host: Host, container: Container | None) -> HostStatus:
    """Return how one host is."""
    return HostStatus(
        host=host.name,
        address=host.address,
        role="control-plane" if host.control_plane else "worker",
        state=container.state if container else "missing",
        cut=bool(container and container.pid and _is_cut(container.pid)),
    )


def _is_cut(pid: int) -> bool:
    """Tell whether a host's cable is unplugged; one that is going down at this moment counts as not."""
    try:
        return not link_is_up(link_of(pid))
    except Refused:
        return False


def list_labs(workspace: Workspace) -> Sequence[Lab]:
    """Return the labs that have files below ``workspace.labs``, by name."""
    return [load(workspace.labs, path.parent.name) for path in sorted(workspace.labs.glob("*/lab.json"))]
