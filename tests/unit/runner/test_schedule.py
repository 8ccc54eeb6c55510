# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler by tables: a state in, decisions out."""

from typing import Any

import pytest

from kubexms.runner.job import Job, Segment
from kubexms.runner.schedule import CALLS_AT_ONCE, Block, Decision, Finish, Launch, decide, next_due, verdict
from kubexms.runner.state import RunState

FIRST = Segment("first", (("init", ("a",)),))
PREPARE = Segment("prepare", (("host", ("b", "c")),))
JOIN = Segment("join", (("join", ("b", "c")),), after=("prepare",), needs=("first",), delegates=("a",))
NODES = Segment("nodes", (("nodes", ("a",)),), after=("join",), needs=("first",))
ALL = (FIRST, PREPARE, JOIN, NODES)
NEW = {"a": "waiting", "b": "waiting", "c": "waiting"}


def state_of(
    tracks: dict[str, dict[str, str]],
    *,
    over: dict[str, str],
    left: dict[str, str],
    segments: tuple[Segment, ...] = ALL,
) -> RunState:
    """Return a state with the given track states; hosts not named are waiting."""
    state = RunState(Job("r", "t", "deploy", "/i", "/c", segments))
    for segment, hosts in tracks.items():
        for host, value in hosts.items():
            track: Any = state.tracks[segment][host]
            track.state = value
    state.over, state.left = over, left
    return state


TABLE: list[tuple[str, dict[str, dict[str, str]], dict[str, str], dict[str, str], list[Decision]]] = [
    (
        "segments that wait for nothing start together",
        {},
        {},
        {},
        [Launch("first", ("a",)), Launch("prepare", ("b", "c"))],
    ),
    (
        "what runs is left alone",
        {"first": {"a": "running"}, "prepare": {"b": "running", "c": "running"}},
        {},
        {},
        [],
    ),
    (
        "a host that is done waits for the others of its segment",
        {"first": {"a": "running"}, "prepare": {"b": "done", "c": "running"}},
        {},
        {},
        [],
    ),
    (
        "a segment is over when all its hosts are settled",
        {"first": {"a": "done"}, "prepare": {"b": "done", "c": "failed"}},
        {},
        {"c": "failed"},
        [Finish("first", "done"), Finish("prepare", "partial")],
    ),
    (
        "a segment waits for all that it comes after or needs",
        {"first": {"a": "running"}, "prepare": {"b": "done", "c": "done"}},
        {"prepare": "done"},
        {},
        [],
    ),
    (
        "then it starts with a delegate",
        {"first": {"a": "done"}, "prepare": {"b": "done", "c": "done"}},
        {"first": "done", "prepare": "done"},
        {},
        [Launch("join", ("b", "c"), "a")],
    ),
    (
        "hosts that left are blocked first",
        {"first": {"a": "done"}, "prepare": {"b": "done", "c": "failed"}},
        {"first": "done", "prepare": "partial"},
        {"c": "failed"},
        [Block("join", ("c",), "the host failed in another stage")],
    ),
    (
        "then the others start",
        {"first": {"a": "done"}, "prepare": {"b": "done", "c": "failed"}, "join": {"c": "blocked"}},
        {"first": "done", "prepare": "partial"},
        {"c": "failed"},
        [Launch("join", ("b",), "a")],
    ),
    (
        "a needed segment that lost a host blocks",
        {"first": {"a": "failed"}, "prepare": {"b": "done", "c": "done"}},
        {"first": "failed", "prepare": "done"},
        {"a": "failed"},
        [Block("join", ("b", "c"), "it needs first, where a host failed")],
    ),
    (
        "a segment without a host left is over as blocked",
        {
            "first": {"a": "failed"},
            "prepare": {"b": "done", "c": "done"},
            "join": {"b": "blocked", "c": "blocked"},
        },
        {"first": "failed", "prepare": "done"},
        {"a": "failed", "b": "blocked", "c": "blocked"},
        [Finish("join", "blocked")],
    ),
    (
        "the end",
        {"first": {"a": "done"}, "prepare": {"b": "done", "c": "done"}, "join": {"b": "done", "c": "done"}},
        {"first": "done", "prepare": "done", "join": "done", "nodes": "done"},
        {},
        [],
    ),
]


@pytest.mark.parametrize(
    ("tracks", "over", "left", "decisions"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_decisions(
    tracks: dict[str, dict[str, str]], over: dict[str, str], left: dict[str, str], decisions: list[Decision]
) -> None:
    assert decide(state_of(tracks, over=over, left=left), 0.0) == decisions


@pytest.mark.parametrize(
    ("left", "decision"),
    [
        ({}, Launch("s", ("c",), "a")),
        ({"a": "failed"}, Launch("s", ("c",), "b")),
        ({"a": "failed", "b": "blocked"}, Block("s", ("c",), "no host is left to help: a, b failed")),
    ],
)
def test_the_first_delegate_in_order_helps(left: dict[str, str], decision: Decision) -> None:
    segment = Segment("s", (("join", ("c",)),), delegates=("a", "b"))
    assert decide(state_of({}, over={}, left=left, segments=(segment,)), 0.0) == [decision]


@pytest.mark.parametrize(
    ("now", "calls", "decisions"),
    [
        (4.9, 1, []),
        (5.0, 1, [Launch("prepare", ("b",))]),
        (6.0, 1, [Launch("prepare", ("b", "c"))]),
        (6.0, CALLS_AT_ONCE, []),
    ],
)
def test_retries_start_when_due_and_not_too_many_at_once(
    now: float, calls: int, decisions: list[Decision]
) -> None:
    state = state_of({}, over={}, left={}, segments=(PREPARE, FIRST))
    for _ in range(calls):
        state.launch("prepare", ("b", "c"), {}, 0.0)
    state.launch("first", ("a",), {}, 0.0)
    for host, due in (("b", 5.0), ("c", 6.0)):
        track = state.tracks["prepare"][host]
        track.state, track.due = "retry", due
    assert next_due(state) == 5.0
    assert decide(state, now) == decisions


def test_a_retry_of_a_host_that_left_elsewhere_is_blocked() -> None:
    state = state_of(
        {"prepare": {"b": "retry", "c": "done"}}, over={}, left={"b": "failed"}, segments=(PREPARE,)
    )
    assert decide(state, 1.0) == [Block("prepare", ("b",), "the host failed in another stage")]


def test_nothing_is_due_without_retries() -> None:
    assert next_due(state_of({}, over={}, left={})) is None


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ({}, "done"),
        ({"c": "failed"}, "partial"),
        ({"b": "blocked", "c": "failed"}, "partial"),
        ({"a": "failed", "b": "blocked", "c": "blocked"}, "failed"),
    ],
)
def test_verdict(left: dict[str, str], state: str) -> None:
    assert verdict(state_of({}, over={}, left=left)) == state


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        (("done", "done"), "done"),
        (("done", "blocked"), "partial"),
        (("failed", "blocked"), "failed"),
        (("blocked", "blocked"), "blocked"),
    ],
)
def test_summary_of_a_segment(states: tuple[str, str], summary: str) -> None:
    tracks = {"prepare": dict(zip(("b", "c"), states, strict=True))}
    assert decide(state_of(tracks, over={}, left={}, segments=(PREPARE,)), 0.0) == [
        Finish("prepare", summary)
    ]
