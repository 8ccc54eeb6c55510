# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback plugin: what leaves the playbook, and what it does without a supervisor."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubexms.runner.callback import kubexms_events as plugin
from kubexms.runner.messages import failure, parse

MODULE = {
    "code": "command-failed",
    "msg": "apt-get failed on a",
    "hint": "look at apt",
    "tail": ["E: one", "E: two"],
    "retriable": True,
    "stdout": "planted",
    "invocation": {"module_args": {"password": "planted"}},
}


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (
            MODULE,
            {
                "code": "command-failed",
                "message": "apt-get failed on a",
                "hint": "look at apt",
                "tail": ["E: one", "E: two"],
                "retriable": True,
            },
        ),
        ({"msg": "Task failed: no such module"}, failure("internal", "Task failed: no such module")),
        (
            {"censored": "hidden", "retriable": "yes", "code": 3, "tail": "text", "hint": None},
            failure("internal", "hidden"),
        ),
        ({}, failure("internal", "the task failed without a message")),
    ],
)
def test_errors(result: dict[str, Any], error: dict[str, Any]) -> None:
    assert plugin.error_of(result) == error


@pytest.mark.parametrize(
    ("result", "delegate", "code", "message"),
    [
        ({"msg": "no route"}, "", "unreachable", "no route"),
        ({"censored": "hidden"}, "", "unreachable", "the host cannot be reached"),
        (
            {"msg": "no route"},
            "cp1",
            "delegate-unreachable",
            "cp1, which was to help, cannot be reached: no route",
        ),
    ],
)
def test_unreachable(result: dict[str, Any], delegate: str, code: str, message: str) -> None:
    assert plugin.unreachable_error_of(result, delegate) == failure(code, message, retriable=True)


def test_errors_are_cut_to_size() -> None:
    error = plugin.error_of({"msg": "x" * 9999, "tail": [f"line {number}" for number in range(99)]})
    assert len(error["message"]) == plugin.LINE_LENGTH
    assert error["tail"][-1] == "line 98"
    assert len(error["tail"]) == plugin.TAIL_LINES


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        (None, []),
        ("text", []),
        (
            [{"path": "p", "before": "1", "after": "2", "other": "x"}, "text"],
            [{"path": "p", "before": "1", "after": "2"}],
        ),
        ([{"path": "p", "before": None, "after": 3}], [{"path": "p", "before": "", "after": "3"}]),
        ([{}], [{"path": "", "before": "", "after": ""}]),
    ],
)
def test_differences(found: Any, differences: list[dict[str, str]]) -> None:
    assert plugin.differences_of({"differences": found}) == differences


class Supervisor:
    """The other end: says what the secrets are, records lines, answers the first ``answers`` of them."""

    def __init__(self, path: Path, answers: int) -> None:
        self.lines: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._answers = answers
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self._listener.close()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b'{"environment": {"KUBEXMS_TEST_SECRET": "s3cret"}}\n')
            for line in lines:
                self.lines.append(line)
                if parse(line).kind in ("play", "end"):
                    if not self._answers:
                        return
                    self._answers -= 1
                    connection.sendall(b"{}\n")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return the signals that the plugin sends, instead of sending them; let it register nothing."""
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(plugin.os, "kill", lambda pid, number: signals.append((pid, number)))
    monkeypatch.setattr(plugin.os, "register_at_fork", lambda **_: None)
    monkeypatch.setattr(plugin, "_die_with_parent", lambda: None)
    monkeypatch.setenv("KUBEXMS_TEST_SECRET", "")
    return signals


@pytest.fixture
def path(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = short_path / "events"
    monkeypatch.setenv(plugin.SOCKET_VARIABLE, str(path))
    return path


def task(name: str = "Act", *, run_once: bool = False, last: bool = False) -> Any:
    identifier = "the last" if last else "another"
    return SimpleNamespace(get_name=lambda: name, run_once=run_once, _uuid=identifier, delegate_to=None)


def result_of(content: dict[str, Any], of: Any = None) -> Any:
    return SimpleNamespace(
        result=content,
        host=host("a"),
        task=of or task(),
        is_changed=lambda: bool(content.get("changed")),
    )


def host(name: str) -> Any:
    return SimpleNamespace(get_name=lambda: name)


def test_a_playbook_is_reported(
    path: Path, ended: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "last_task", lambda play: "the last")
    supervisor = Supervisor(path, answers=9)
    subject = plugin.CallbackModule()
    assert os.environ["KUBEXMS_TEST_SECRET"] == "s3cret"
    subject.v2_playbook_on_play_start(SimpleNamespace(get_name=lambda: "host"))
    subject.v2_playbook_on_task_start(task(), False)
    subject.v2_runner_on_start(host("a"), task())
    subject.v2_runner_on_ok(result_of({"changed": True, "stdout": "planted", "observation": {"x": 1}}))
    subject.v2_runner_on_ok(result_of({"_ansible_no_log": True, "observation": {"x": 1}}, task(last=True)))
    subject.v2_runner_on_skipped(result_of({}))
    subject.v2_runner_on_failed(result_of(MODULE), ignore_errors=True)
    subject.v2_runner_on_failed(result_of(MODULE, task("Get a token", run_once=True)))
    subject.v2_runner_on_unreachable(result_of({"msg": "no route"}))
    subject.v2_playbook_on_stats(None)
    subject._hang_up()
    supervisor.thread.join(10)
    assert b"planted" not in b"".join(supervisor.lines)
    messages = [parse(line) for line in supervisor.lines]
    assert [message.kind for message in messages] == [
        *("play", "task", "start", "ok", "ok", "ok", "ok", "failed", "failed", "end")
    ]
    assert messages[0].stage == "host"
    assert (messages[3].changed, messages[3].observation, messages[3].last) == (True, {"x": 1}, False)
    assert (messages[4].changed, messages[4].observation, messages[4].last) == (False, None, True)
    assert (messages[7].task, messages[7].all, messages[7].error["code"]) == (
        "Get a token",
        True,
        "command-failed",
    )
    assert messages[8].error["code"] == "unreachable"
    assert ended == []


def test_without_a_supervisor_the_playbook_ends(path: Path, ended: list[tuple[int, int]]) -> None:
    plugin.CallbackModule()._hang_up()
    assert ended == [(os.getpid(), signal.SIGTERM)]


def test_a_supervisor_that_is_gone_ends_the_playbook(path: Path, ended: list[tuple[int, int]]) -> None:
    supervisor = Supervisor(path, answers=0)
    subject = plugin.CallbackModule()
    subject.v2_playbook_on_stats(None)
    supervisor.thread.join(10)
    assert ended == [(os.getpid(), signal.SIGTERM)]
    subject.v2_runner_on_start(host("a"), task())
    assert len(ended) == 2
    subject._hang_up()
    assert json.loads(supervisor.lines[0]) == {"kind": "end"}


def test_a_play_without_a_proof(path: Path, ended: list[tuple[int, int]]) -> None:
    """A play that does not look as expected: no task of it counts as the last."""
    supervisor = Supervisor(path, answers=9)
    subject = plugin.CallbackModule()
    subject.v2_playbook_on_play_start(SimpleNamespace(get_name=lambda: "host"))
    subject.v2_runner_on_ok(result_of({}, task(last=True)))
    subject._hang_up()
    supervisor.thread.join(10)
    assert parse(supervisor.lines[1]).last is False
