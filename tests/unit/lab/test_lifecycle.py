# SPDX-License-Identifier: GPL-3.0-or-later
"""Up, down and status on a machine that is a table; the recorded one has lab dev."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import CommandFailed, NotFound, Refused
from kubexms.lab import lifecycle, machine, tools
from kubexms.lab.image import image_name, recipe_digest
from kubexms.lab.lifecycle import HostStatus, down, list_labs, status, up
from kubexms.lab.model import Host, Lab, load, save
from kubexms.lab.settle import Request, Workspace


@dataclass
class Kernel:
    """What the lab asked of this machine: locks, and what happened to its sysctls."""

    locks: list[str] = field(default_factory=list)
    sysctls: list[str] = field(default_factory=list)

    @contextmanager
    def locked(self, ctx: Context, name: str, *, wait: bool) -> Iterator[None]:
        self.locks.append(name)
        yield


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Keep this machine's locks, kernel and cgroups out."""
    kernel = Kernel()
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools, "missing_packages", list)
    monkeypatch.setattr(lifecycle, "locked", kernel.locked)
    monkeypatch.setattr(lifecycle, "prepare_sysctls", lambda: kernel.sysctls.append("prepared"))
    monkeypatch.setattr(lifecycle, "restore_sysctls", lambda: kernel.sysctls.append("restored"))
    monkeypatch.setattr(lifecycle, "wait_until_up", lambda ctx, commands, lab, host: None)
    monkeypatch.setattr(lifecycle, "link_of", lambda pid: f"veth{pid}")
    monkeypatch.setattr(machine, "mounted_hierarchies", lambda mounts: [])
    monkeypatch.setattr(machine, "unmounted_hierarchies", lambda mounts, cgroups: [])
    return kernel


@pytest.fixture
def workspace(lab: Lab, tmp_path: Path) -> Workspace:
    return Workspace(labs=lab.directory.parent, cache=tmp_path / "cache")


@pytest.fixture
def recorded(recorded: Any, lab: Lab) -> Any:
    """The machine with the key of lab dev, which the table's ssh-keygen does not make."""
    lab.private_key.touch()
    lab.private_key.with_suffix(".pub").write_text("ssh-ed25519 AAAA dev\n")
    recorded.answer("exec kubexms-lab-dev-node", "ssh-ed25519 BBBB\n")
    return recorded


def test_up_makes_what_is_missing_starts_what_is_dead_and_leaves_the_rest(
    ctx: Context, recorded: Any, workspace: Workspace, lab: Lab, kernel: Kernel
) -> None:
    lines: list[str] = []
    made = up(ctx, recorded, workspace, Request("dev", hosts=3), lines.append)
    verbs = recorded.verbs()
    assert "podman start kubexms-lab-dev-node1" in verbs
    image = image_name(recipe_digest())
    booted = f"podman run {image} /sbin/lab-init kubexms-lab/dev/node3 ssh-ed25519 AAAA dev"
    assert [verb for verb in verbs if verb.startswith("podman run ")] == [booted]
    assert not any("node2" in verb for verb in verbs if not verb.startswith("podman exec"))
    assert not any("network create" in verb or "ssh-keygen" in verb for verb in verbs)
    assert kernel.sysctls == ["prepared"]
    assert kernel.locks == ["lab-dev", "image", "machine"]
    assert made == replace(lab, cluster=made.cluster)
    assert load(workspace.labs, "dev") == made
    assert lab.known_hosts.read_text().splitlines() == [
        f"10.77.0.{number} ssh-ed25519 BBBB" for number in (11, 12, 13)
    ]
    assert lab.cluster_file.read_text().startswith("# Written by")
    assert {"node1 10.77.0.11 is up", "node2 10.77.0.12 is up", "node3 10.77.0.13 is up"} <= set(lines)


def test_up_of_a_new_lab_makes_network_and_key(
    ctx: Context, recorded: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_boot_all", lambda ctx, commands, lab, image, report: ["key"])
    lab = up(ctx, recorded, workspace, Request("new", hosts=1), lambda line: None)
    network, keygen = recorded.calls[-2:]
    assert network[4:6] == ["network", "create"]
    assert "--subnet=10.77.1.0/24" in network
    assert keygen[:6] == ["ssh-keygen", "-q", "-t", "ed25519", "-N", ""]
    assert keygen[-1] == str(lab.private_key)
    assert lab.known_hosts.read_text() == "key\n"


def test_a_host_that_fails_ends_the_others(
    ctx: Context, recorded: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(ctx: Context, commands: Any, lab: Lab, host: Host) -> None:
        if host.name == "node2":
            raise CommandFailed(["systemctl"], 1, ["ssh.service failed"])
        assert ctx.cancelled.wait(10), "the other hosts would be waited for in vain"

    monkeypatch.setattr(lifecycle, "wait_until_up", wait)
    with pytest.raises(CommandFailed, match=r"ssh\.service failed"):
        up(ctx, recorded, workspace, Request("dev", hosts=3), lambda line: None)
    assert threading.active_count() == 1


def test_down_removes_all_of_the_lab_and_nothing_else(
    ctx: Context, recorded: Any, workspace: Workspace, lab: Lab, kernel: Kernel
) -> None:
    (workspace.labs / "other").mkdir()
    down(ctx, recorded, workspace, "dev", lambda line: None)
    changes = [verb for verb in recorded.verbs() if " rm " in verb]
    assert changes == [
        "podman rm kubexms-lab-dev-node1 kubexms-lab-dev-node2",
        "podman network rm kubexms-lab-dev",
    ]
    assert [path.name for path in workspace.labs.iterdir()] == ["other"]
    assert kernel.sysctls == [], "the recorded machine still lists a lab's network"


def test_the_last_lab_sets_the_machine_back(
    ctx: Context, table: Any, workspace: Workspace, kernel: Kernel
) -> None:
    table.answer("ps --all", "[]")
    down(ctx, table, workspace, "dev", lambda line: None)
    assert kernel.sysctls == ["restored"]
    assert not any("rm" in call for call in table.calls)
    assert not (workspace.labs / "dev").exists()


def test_down_of_a_lab_that_is_not_there(ctx: Context, table: Any, workspace: Workspace) -> None:
    table.answer("ps --all", "[]")
    with pytest.raises(NotFound, match="no lab none"):
        down(ctx, table, workspace, "none", lambda line: None)


def test_down_of_a_lab_of_another_directory_touches_nothing(
    ctx: Context, recorded: Any, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="was made from"):
        down(ctx, recorded, Workspace(tmp_path / "x", tmp_path / "y"), "dev", lambda line: None)
    assert not any("rm" in call for call in recorded.calls)


@pytest.mark.parametrize("up_now", [True, False])
def test_status(ctx: Context, recorded: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch, up_now: bool) -> None:
    monkeypatch.setattr(lifecycle, "link_is_up", lambda link: {"veth14567": up_now}[link])
    assert status(ctx, recorded, lab) == [
        HostStatus("node1", "10.77.0.11", "control-plane", "exited", cut=False),
        HostStatus("node2", "10.77.0.12", "worker", "running", cut=not up_now),
        HostStatus("node3", "10.77.0.13", "worker", "missing", cut=False),
    ]


def test_status_of_a_host_that_is_going_down(
    ctx: Context, recorded: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(pid: int) -> str:
        raise Refused("the network link is gone")

    monkeypatch.setattr(lifecycle, "link_of", gone)
    assert not status(ctx, recorded, lab)[1].cut


def test_labs_are_listed_by_name(workspace: Workspace, lab: Lab) -> None:
    assert list_labs(workspace) == []
    save(lab)
    assert list_labs(workspace) == [lab]
