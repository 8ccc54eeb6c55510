# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: one line each, there and back."""

import json

import pytest

from kubexms.runner.events import Draft, Event, Kind

DRAFT = Draft(Kind.STEP_DONE, "host", "node1", "Prepare", 2, {"changed": True, "text": "line\nbreak ü"})


def test_a_line_round_trip_loses_nothing() -> None:
    event = Event.of(DRAFT, seq=7, time=1.5, run_id="r1")
    line = event.to_line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert Event.from_line(line) == event


def test_empty_fields_take_no_room() -> None:
    event = Event.of(Draft(Kind.RUN_STARTED), seq=1, time=1.5, run_id="r1")
    assert json.loads(event.to_line()) == {"seq": 1, "time": 1.5, "kind": "run.started", "run_id": "r1"}
    assert Event.from_line(event.to_line()) == event


def test_fields_of_a_later_version_are_ignored() -> None:
    line = b'{"seq":1,"time":2.0,"kind":"new.kind","run_id":"r","colour":"red"}'
    assert Event.from_line(line) == Event(1, 2.0, "new.kind", "r")


@pytest.mark.parametrize("line", [b"", b"\0\0\0", b"3", b"{}", b'{"seq":1}', b'{"seq":1,"time":2.0', b"\xff"])
def test_what_is_no_event_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Event.from_line(line)
