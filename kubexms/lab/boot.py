# SPDX-License-Identifier: GPL-3.0-or-later
"""Booting one host and waiting until it is really up: systemd's state and sshd's greeting."""

import socket

from kubexms.context import Context
from kubexms.errors import CommandFailed, ConnectionFailed, DeadlineExceeded
from kubexms.lab.command import TAIL_LINES, Commands, run
from kubexms.lab.model import Host, Lab
from kubexms.lab.podman import PODMAN, exec_argv

BOOT_SECONDS = 180.0
_LOOK_SECONDS = 0.2
SSH_PORT = 22
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


def wait_until_up(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Return when the host's systemd is running without failed units and its sshd answers."""
    limited = ctx.with_timeout(BOOT_SECONDS)
    try:
        _wait_for_systemd(limited, commands, lab, host)
        _wait_for_sshd(limited, host)
    except DeadlineExceeded as cause:
        ctx.check()
        raise ConnectionFailed(
            f"host {host.name} of lab {lab.name} was not up after {BOOT_SECONDS:.0f} s",
            hint=f"look at it: podman exec {lab.container(host)} journalctl",
        ) from cause


def _wait_for_systemd(ctx: Context, commands: Commands, lab: Lab, host: Host) -> None:
    """Wait for systemd's verdict; raise CommandFailed with the reason when it is not good."""
    container = lab.container(host)
    argv = exec_argv(container, ["systemctl", "is-system-running", "--wait"])
    while True:
        result = commands.capture(ctx, argv)
        state = result.stdout.strip()
        if state == "running":
            return
        if state == "degraded":
            failed = run(
                ctx, commands, exec_argv(container, ["systemctl", "--failed", "--plain", "--no-legend"])
            )
            raise CommandFailed(argv, result.status, failed.splitlines(), hint=f"on host {host.name}")
        _check_alive(ctx, commands, container)
        ctx.wait(_LOOK_SECONDS)


def _check_alive(ctx: Context, commands: Commands, container: str) -> None:
    """Raise CommandFailed with the last lines of its first program when a container has ended."""
    state = run(ctx, commands, [*PODMAN, "inspect", "--format={{.State.Status}}", container]).strip()
    if state in {"exited", "stopped"}:
        result = commands.capture(ctx, [*PODMAN, "logs", container])
        tail = (result.stdout + result.stderr).splitlines()[-TAIL_LINES:]
        raise CommandFailed(["/sbin/lab-init"], 1, tail, hint=f"container {container} ended while booting")


def _wait_for_sshd(ctx: Context, host: Host) -> None:
    """Wait for sshd's greeting (RFC 4253 section 4.2)."""
    while not greets(host.address):
        ctx.wait(_LOOK_SECONDS)


def greets(address: str, port: int = SSH_PORT) -> bool:
    """Tell whether an SSH server answers at ``address``."""
    try:
        with socket.create_connection((address, port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def host_key(ctx: Context, commands: Commands, lab: Lab, host: Host) -> str:
    """Return the host's public key as a line for known_hosts, read over podman and not over the network."""
    kind, key = run(ctx, commands, exec_argv(lab.container(host), ["cat", _HOST_KEY])).split()[:2]
    return f"{host.address} {kind} {key}"
