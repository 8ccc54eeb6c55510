# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of ``kubexms lab``, with the lab room in its place replaced."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubexms import lab as room
from kubexms.cli import lab as cli
from kubexms.errors import NotFound
from kubexms.lab import HostStatus, Lab, Request, Workspace
from kubexms.lab.model import save


@pytest.fixture(autouse=True)
def state(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory with lab dev in it."""
    monkeypatch.setenv("KUBEXMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("KUBEXMS_CACHE_DIR", str(tmp_path / "cache"))
    save(lab)
    return tmp_path


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_up(lab: Lab, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def up(ctx: Any, commands: Any, workspace: Workspace, request: Request, report: Any) -> Lab:
        asked.extend([workspace, request])
        report("booting")
        return lab

    monkeypatch.setattr(room, "up", up)
    output = invoke(
        "up", "--name", "dev", "--hosts", "5", "--control-planes", "3", "--memory", "2g", "--install"
    )
    assert asked == [
        Workspace(labs=state / "labs", cache=state / "cache"),
        Request("dev", 5, 3, "2g", install=True),
    ]
    assert "] booting\n" in output
    assert str(lab.cluster_file) in output
    assert "kubexms lab ssh node1 --name dev" in output


def test_down(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(room, "down", lambda ctx, commands, workspace, name, report: names.append(name))
    assert "lab dev removed" in invoke("down", "--name", "dev")
    assert names == ["dev"]


@pytest.fixture
def _statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [
        HostStatus("node1", "10.77.0.11", "control-plane", "running", cut=False),
        HostStatus("node2", "10.77.0.12", "worker", "running", cut=True),
    ]
    monkeypatch.setattr(room, "status", lambda ctx, commands, lab: hosts)


@pytest.mark.usefixtures("_statuses")
def test_status_shows_every_host() -> None:
    lines = [line.split() for line in invoke("status").splitlines()]
    assert lines[0][:2] == ["dev", "10.77.0.0/24"]
    assert lines[1:] == [
        ["node1", "10.77.0.11", "control-plane", "running", "connected"],
        ["node2", "10.77.0.12", "worker", "running", "cut"],
    ]


@pytest.mark.usefixtures("_statuses")
def test_status_for_machines(lab: Lab) -> None:
    document = json.loads(invoke("status", "--name", "dev", "--output", "json"))
    assert [(entry["name"], entry["file"]) for entry in document] == [("dev", str(lab.cluster_file))]
    assert document[0]["hosts"][1] == {
        "host": "node2",
        "address": "10.77.0.12",
        "role": "worker",
        "state": "running",
        "cut": True,
    }


def test_status_without_labs_says_how_to_make_one(lab: Lab) -> None:
    (lab.directory / "lab.json").unlink()
    assert "kubexms lab up" in invoke("status")


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("kill", "node2 is off\n"),
        ("start", "node2 is up\n"),
        ("cut", "node2 is cut from the network\n"),
        ("heal", "node2 is connected to the network\n"),
    ],
)
def test_what_is_done_to_a_host(verb: str, said: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(room, verb, lambda ctx, commands, lab, host: done.append((lab, host)))
    assert invoke(verb, "node2", "--name", "dev") == said
    assert done == [(lab, lab.host("node2"))]


def test_ssh_runs_the_command_and_ends_like_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def call(argv: list[str]) -> int:
        called.append(argv)
        return 7

    monkeypatch.setattr(cli.subprocess, "call", call)
    result = CliRunner().invoke(cli.app, ["ssh", "node1", "--name", "dev", "--", "ls", "-l"])
    assert result.exit_code == 7
    assert called == [room.ssh_argv(lab, lab.host("node1"), ["ls", "-l"])]


@pytest.mark.parametrize(
    "arguments", [("ssh", "node9", "--name", "dev"), ("kill", "node1", "--name", "nope")]
)
def test_unknown_hosts_and_labs_are_not_found(arguments: tuple[str, ...]) -> None:
    with pytest.raises(NotFound):
        invoke(*arguments)


def test_the_room_lists_what_it_offers() -> None:
    assert sorted(room.__all__) == room.__all__
    assert all(hasattr(room, name) for name in room.__all__)
