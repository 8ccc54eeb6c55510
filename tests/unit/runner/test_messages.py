# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the callback plugin: what is understood, and what is not."""

import json
from typing import Any

import pytest

from kubexms.runner.messages import Message, MessageInvalid, failure, parse


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "play", "stage": "host"}, Message("play", stage="host")),
        ({"kind": "start", "host": "a"}, Message("start", host="a")),
        (
            {"kind": "ok", "host": "a", "changed": True, "differences": [{"path": "p"}], "last": True},
            Message("ok", host="a", changed=True, differences=[{"path": "p"}], last=True),
        ),
        ({"kind": "ok", "host": "a", "observation": {"x": 1}}, Message("ok", host="a", observation={"x": 1})),
        ({"kind": "end"}, Message("end")),
    ],
)
def test_messages_are_understood(document: dict[str, Any], message: Message) -> None:
    assert parse(json.dumps(document).encode()) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"no json",
        b"[]",
        b"3",
        b"{}",
        b'{"kind": "boom"}',
        b'{"kind": ["ok"]}',
        b'{"kind": "ok", "host": 3}',
        b'{"kind": "ok", "changed": "yes"}',
        b'{"kind": "ok", "differences": {}}',
        b'{"kind": "failed", "error": "text"}',
        b'{"kind": "ok", "result": {}}',
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(MessageInvalid):
        parse(line)


def test_failures_have_every_field() -> None:
    assert failure("timeout", "too long") == {
        "code": "timeout",
        "message": "too long",
        "hint": "",
        "tail": [],
        "retriable": False,
    }
