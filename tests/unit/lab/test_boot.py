# SPDX-License-Identifier: GPL-3.0-or-later
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import CommandFailed, ConnectionFailed, DeadlineExceeded
from kubexms.lab import boot
from kubexms.lab.boot import greets, host_key, wait_until_up
from kubexms.lab.model import Lab


@pytest.fixture
def _sshd_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "greets", lambda address: True)


@pytest.mark.usefixtures("_sshd_up")
def test_a_host_is_up_when_systemd_says_so(ctx: Context, table: Any, lab: Lab) -> None:
    table.answer("is-system-running", "", status=1, stderr="Failed to connect to bus")
    table.answer("is-system-running", "offline\n", status=1)
    table.answer("is-system-running", "running\n")
    table.answer("inspect", "running\n")
    wait_until_up(ctx, table, lab, lab.hosts[0])
    asked = "podman exec kubexms-lab-dev-node1 systemctl is-system-running"
    assert table.verbs().count(asked) == 3
    assert table.verbs()[-1] == asked


@pytest.mark.usefixtures("_sshd_up")
def test_failed_units_are_named(ctx: Context, table: Any, lab: Lab) -> None:
    table.answer("is-system-running", "degraded\n", status=1)
    table.answer("systemctl --failed", "ssh.service loaded failed failed OpenBSD Secure Shell server\n")
    with pytest.raises(CommandFailed, match=r"ssh\.service loaded failed.*on host node2"):
        wait_until_up(ctx, table, lab, lab.host("node2"))


def test_a_host_that_dies_while_booting_shows_its_last_lines(ctx: Context, table: Any, lab: Lab) -> None:
    table.answer(
        "is-system-running", status=125, stderr="can only create exec sessions on running containers"
    )
    table.answer("inspect", "exited\n")
    table.answer("logs", "before\n", stderr="mount: permission denied\n")
    with pytest.raises(CommandFailed, match="permission denied") as caught:
        wait_until_up(ctx, table, lab, lab.hosts[0])
    assert caught.value.tail == ("before", "mount: permission denied")


def test_a_host_that_does_not_come_up_is_unreachable(
    ctx: Context, table: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "BOOT_SECONDS", 0.3)
    monkeypatch.setattr(boot, "greets", lambda address: False)
    table.answer("is-system-running", "running\n")
    with pytest.raises(ConnectionFailed, match="node1 of lab dev was not up after 0 s"):
        wait_until_up(ctx, table, lab, lab.hosts[0])


def test_the_caller_s_own_deadline_stays_its_own(ctx: Context, table: Any, lab: Lab) -> None:
    table.answer("is-system-running", "starting\n", status=1)
    table.answer("inspect", "running\n")
    with pytest.raises(DeadlineExceeded):
        wait_until_up(ctx.with_timeout(0.2), table, lab, lab.hosts[0])


def test_the_host_key_is_read_over_podman(ctx: Context, table: Any, lab: Lab) -> None:
    table.answer("ssh_host_ed25519_key.pub", "ssh-ed25519 AAAAC3 node1\n")
    assert host_key(ctx, table, lab, lab.hosts[0]) == "10.77.0.11 ssh-ed25519 AAAAC3"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize(
    ("greeting", "expected"), [(b"SSH-2.0-OpenSSH_9.2p1\r\n", True), (b"HTTP/1.1", False)]
)
def test_a_greeting_tells_an_ssh_server(server: socket.socket, greeting: bytes, expected: bool) -> None:
    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(greeting)

    thread = threading.Thread(target=serve)
    thread.start()
    assert greets("127.0.0.1", server.getsockname()[1]) is expected
    thread.join()


def test_nobody_greets_at_a_closed_port(server: socket.socket) -> None:
    port = server.getsockname()[1]
    server.close()
    assert not greets("127.0.0.1", port)
