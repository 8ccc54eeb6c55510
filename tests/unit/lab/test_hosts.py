# SPDX-License-Identifier: GPL-3.0-or-later
"""One host at a time; in the recorded lab node1 is off, node2 runs and node3 was never made."""

from collections.abc import Callable
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.lab import hosts, tools
from kubexms.lab.hosts import cut, heal, kill, ssh_argv, start
from kubexms.lab.model import Lab

NODE1 = "kubexms-lab-dev-node1"
NODE2 = "kubexms-lab-dev-node2"


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    monkeypatch.setattr(hosts, "wait_until_up", lambda ctx, commands, lab, host: None)
    monkeypatch.setattr(hosts, "link_of", lambda pid: f"veth{pid}")


def test_kill_ends_the_host_and_waits_until_it_is_gone(ctx: Context, recorded: Any, lab: Lab) -> None:
    kill(ctx, recorded, lab, lab.host("node2"))
    assert recorded.verbs()[1:] == [f"podman kill {NODE2}", f"podman wait {NODE2}"]
    assert "--signal=KILL" in recorded.calls[1]


def test_kill_of_a_dead_host_changes_nothing(ctx: Context, recorded: Any, lab: Lab) -> None:
    kill(ctx, recorded, lab, lab.host("node1"))
    assert recorded.verbs() == ["podman ps"]


def test_start_boots_a_dead_host(ctx: Context, recorded: Any, lab: Lab) -> None:
    start(ctx, recorded, lab, lab.host("node1"))
    assert recorded.verbs()[1:] == [f"podman start {NODE1}"]


def test_start_of_a_running_host_changes_nothing(ctx: Context, recorded: Any, lab: Lab) -> None:
    start(ctx, recorded, lab, lab.host("node2"))
    assert recorded.verbs() == ["podman ps"]


@pytest.mark.parametrize(("act", "state"), [(cut, "down"), (heal, "up")])
def test_the_cable_is_switched_on_this_machine_s_side(
    ctx: Context, recorded: Any, lab: Lab, act: Callable[..., None], state: str
) -> None:
    act(ctx, recorded, lab, lab.host("node2"))
    assert recorded.calls[1:] == [["ip", "link", "set", "dev", "veth14567", state]]


@pytest.mark.parametrize("act", [cut, heal])
def test_a_dead_host_has_no_cable(ctx: Context, recorded: Any, lab: Lab, act: Callable[..., None]) -> None:
    with pytest.raises(Refused, match="node1 of lab dev is not running"):
        act(ctx, recorded, lab, lab.host("node1"))


@pytest.mark.parametrize("act", [kill, start, cut, heal])
def test_a_host_without_container_is_not_found(
    ctx: Context, recorded: Any, lab: Lab, act: Callable[..., None]
) -> None:
    with pytest.raises(NotFound, match="node3 of lab dev has no container"):
        act(ctx, recorded, lab, lab.host("node3"))


def test_only_root_is_served(ctx: Context, recorded: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="needs root"):
        kill(ctx, recorded, lab, lab.host("node2"))
    assert recorded.calls == []


def test_ssh_trusts_the_pinned_key_only(lab: Lab) -> None:
    argv = ssh_argv(lab, lab.host("node2"), ["uptime", "-p"])
    assert argv[:3] == ["ssh", "-i", str(lab.private_key)]
    assert {
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={lab.known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
    } <= set(argv)
    assert argv[-3:] == ["root@10.77.0.12", "uptime", "-p"]
    assert ssh_argv(lab, lab.host("node2"))[-1] == "root@10.77.0.12"
