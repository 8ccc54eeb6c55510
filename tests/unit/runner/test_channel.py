# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket of a playbook: messages in order, barriers, secrets, and playbooks that break off."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from kubexms.runner.channel import Channel, censor
from kubexms.runner.messages import Message

SECRETS = {"PASSWORD": "tr0ub4dor", "SHORT": "abc"}


class Inbox:
    """Keeps what a channel hands over and lets playbooks go on at once."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message, proceed: Callable[[], None]) -> None:
        self.messages.append(message)
        proceed()


class Playbook:
    """The other end of a channel."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.replies = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.replies.close()
        self.socket.close()

    def say(self, line: bytes) -> None:
        self.socket.sendall(line + b"\n")


def test_secrets_are_the_first_line_then_each_message_is_answered(short_path: Path) -> None:
    inbox, path = Inbox(), short_path / "events"
    with Channel(path, SECRETS, inbox), Playbook(path) as playbook:
        assert json.loads(playbook.replies.readline()) == {"environment": SECRETS}
        playbook.say(b'{"kind": "play", "stage": "host"}')
        assert playbook.replies.readline() == b"{}\n"
        playbook.say(b'{"kind": "end"}')
        assert playbook.replies.readline() == b"{}\n"
    assert inbox.messages == [Message("play", stage="host"), Message("end")]
    assert not path.exists()


def test_a_line_without_sense_is_noted_and_the_rest_goes_on(
    short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, path = Inbox(), short_path / "events"
    with Channel(path, {}, inbox), Playbook(path) as playbook:
        playbook.say(b"boom")
        playbook.say(b'{"kind": "end"}')
        playbook.replies.readline()
        assert playbook.replies.readline() == b"{}\n"
    assert inbox.messages == [Message("end")]
    assert "events: not JSON" in capsys.readouterr().err


def test_a_playbook_that_never_connects_is_not_waited_for(short_path: Path) -> None:
    inbox = Inbox()
    with Channel(short_path / "events", {}, inbox):
        pass
    assert inbox.messages == []


def test_all_that_was_said_is_handed_over_when_a_playbook_breaks_off(short_path: Path) -> None:
    inbox, path = Inbox(), short_path / "events"
    with Channel(path, {}, inbox), Playbook(path) as playbook:
        playbook.replies.readline()
        playbook.say(b'{"kind": "start", "host": "a"}\n{"kind": "start", "host": "b"}')
    assert [message.host for message in inbox.messages] == ["a", "b"]


def test_a_socket_left_by_a_dead_supervisor_is_replaced(short_path: Path) -> None:
    path = short_path / "events"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with Channel(path, {}, Inbox()), Playbook(path) as playbook:
        assert playbook.replies.readline() == b'{"environment": {}}\n'


def test_secrets_in_messages_are_masked(short_path: Path) -> None:
    inbox, path = Inbox(), short_path / "events"
    error = {
        "code": "x",
        "message": "login with tr0ub4dor failed",
        "tail": ["p=tr0ub4dor"],
        "retriable": True,
    }
    with Channel(path, SECRETS, inbox), Playbook(path) as playbook:
        playbook.say(json.dumps({"kind": "failed", "host": "tr0ub4dor", "error": error}).encode())
        playbook.socket.shutdown(socket.SHUT_WR)
        assert playbook.replies.read().count(b"\n") == 2
    message = inbox.messages[0]
    assert message.host == "tr0ub4dor"
    assert message.error == {
        "code": "x",
        "message": "login with *** failed",
        "tail": ["p=***"],
        "retriable": True,
    }


@pytest.mark.parametrize(
    ("value", "censored"),
    [
        ("tr0ub4dor", "***"),
        ("abc", "abc"),
        (["x tr0ub4dor", {"k": "tr0ub4dor"}], ["x ***", {"k": "***"}]),
        (None, None),
        (3, 3),
    ],
)
def test_censoring(value: Any, censored: Any) -> None:
    assert censor(value, SECRETS) == censored


def test_a_path_that_cannot_be_bound_leaves_nothing_open(short_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Channel(short_path / "missing" / "events", {}, Inbox()):
        pass
