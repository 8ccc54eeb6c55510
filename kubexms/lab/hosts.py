# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a single host: kill, start, cut, heal, log in."""

from collections.abc import Sequence

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.lab.boot import wait_until_up
from kubexms.lab.command import Commands, run
from kubexms.lab.model import Host, Lab
from kubexms.lab.network import link_of, set_link_argv
from kubexms.lab.podman import PODMAN, Container, containers
from kubexms.lab.tools import require_root


def find_container(ctx: Context, commands: Commands, lab: Lab, host: Host) -> Container:
    """Return the container of ``host``; raise NotFound when it is gone."""
    require_root()
    for container in containers(ctx, commands):
        if container.name == lab.container(host):
            return container
    raise NotFound(
        f"host {host.name} of lab {lab.name} has no container", hint=f"kubexms lab up --name {lab.name}"
    )


def kill(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Pull the host's power cord: every process ends at once, the disk stays."""
    container = find_container(ctx, commands, lab, host)
    if container.pid:
        run(ctx, commands, [*PODMAN, "kill", "--signal=KILL", container.name])
        run(ctx, commands, [*PODMAN, "wait", container.name])


def start(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Boot a killed host, with its disk, address and keys, and wait until it is up."""
    container = find_container(ctx, commands, lab, host)
    if not container.pid:
        run(ctx, commands, [*PODMAN, "start", container.name])
    wait_until_up(ctx, commands, lab, host)


def cut(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Unplug the host's network cable. A host that is killed and started has it plugged in again."""
    _set_link(ctx, commands, lab, host, up=False)


def heal(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Plug the host's network cable in again."""
    _set_link(ctx, commands, lab, host, up=True)


def _set_link(ctx: Context, commands: Commands, lab: Lab, host: Host, *, up: bool) -> None:
    """Switch the host's link; refuse a host that does not run."""
    container = find_container(ctx, commands, lab, host)
    if not container.pid:
        raise Refused(
            f"host {host.name} of lab {lab.name} is not running",
            hint=f"start it: kubexms lab start {host.name} --name {lab.name}",
        )
    run(ctx, commands, set_link_argv(link_of(container.pid), up=up))


def ssh_argv(lab: Lab, host: Host, command: Sequence[str] = ()) -> list[str]:
    """Return the argv that logs in to ``host``, or runs ``command`` there by its shell."""
    return [
        "ssh", "-i", str(lab.private_key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={lab.known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10", f"root@{host.address}", *command,
    ]  # fmt: skip
