# SPDX-License-Identifier: GPL-3.0-or-later
"""The supervisor with a player that follows a script instead of running Ansible."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubexms.runner import spool as spool_module
from kubexms.runner import supervisor as supervisor_module
from kubexms.runner.events import Event, Kind
from kubexms.runner.job import Job, Retry, Segment
from kubexms.runner.messages import Message, failure
from kubexms.runner.playbook import Call
from kubexms.runner.spool import Spool, read_events
from kubexms.runner.state import Outcome
from kubexms.runner.supervisor import Ended, Item, Reported, Stop, Supervisor

FLAKY = failure("download-failed", "it may work", retriable=True)
BROKEN = failure("command-failed", "it broke")
ONE = Segment("s", (("host", ("a", "b")), ("join", ("b",))))


class ScriptedPlayer:
    """Plays every stage of a call to success, but for what ``script`` says about a (stage, host).

    A script entry is a list of outcomes by attempt: an error, "hang" (until stopped), or None (success).
    """

    def __init__(self, script: dict[tuple[str, str], list[Any]] | None = None) -> None:
        self.script = script or {}
        self.calls: list[Call] = []
        self.stopped = threading.Event()
        self.stops: list[int] = []

    def play(self, call: Call, put: Callable[[Item], None]) -> None:
        self.calls.append(call)
        for message in self.messages(call):
            if not self.report(call, message, put):
                put(Ended(call.number, Outcome(-9)))
                return
        self.report(call, Message("end"), put)
        put(Ended(call.number, Outcome(0)))

    def report(self, call: Call, message: Message, put: Callable[[Item], None]) -> bool:
        """Put a message; where playbooks wait, wait. Return False when stopped meanwhile."""
        if message.kind == "hang":
            self.stopped.wait(20)
            return False
        gone_on = threading.Event()
        put(Reported(call.number, message, gone_on.set))
        if message.kind in ("play", "end"):
            assert gone_on.wait(20), "the supervisor let nobody go on"
        return True

    def messages(self, call: Call) -> Iterator[Message]:
        failed: set[str] = set()
        for stage, hosts in call.stages:
            yield Message("play", stage=stage)
            for host in [host for host in hosts if host not in failed]:
                yield Message("start", host=host)
                outcomes = self.script.get((stage, host), [])
                outcome = outcomes.pop(0) if outcomes else None
                if outcome == "hang":
                    yield Message("hang")
                elif outcome is not None:
                    failed.add(host)
                    yield Message("failed", host=host, error=outcome)
                else:
                    yield Message("ok", host=host, last=True, changed=True)

    def stop(self, call: int) -> None:
        self.stops.append(call)
        self.stopped.set()

    def stop_all(self) -> None:
        self.stopped.set()


def supervise(
    directory: Path, player: ScriptedPlayer, *segments: Segment, **fields: Any
) -> tuple[str, list[Event]]:
    job = Job("r1", "t1", "deploy", "/i", "/c", segments or (ONE,), **fields)
    with Spool(directory, job.run_id) as spool:
        state = Supervisor(job, spool, player, {"kubexms_artifact_port": 1234}).run()
    return state, read_events(directory)[0]


def short(events: list[Event]) -> list[str]:
    return [" ".join(filter(None, (event.kind, event.stage, event.host))) for event in events]


def test_a_run_from_start_to_finish(tmp_path: Path) -> None:
    state, events = supervise(tmp_path, ScriptedPlayer())
    assert state == "done"
    assert short(events) == [
        "run.started",
        "segment.started",
        "step.started host a",
        "step.done host a",
        "step.started host b",
        "step.done host b",
        "step.started join b",
        "step.done join b",
        "segment.finished",
        "run.finished",
    ]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[0].data["segments"] == [
        {"id": "s", "stages": [["host", ["a", "b"]], ["join", ["b"]]], "after": [], "needs": []}
    ]
    assert events[-1].data == {"state": "done", "failed_hosts": [], "blocked_hosts": []}


def test_playbooks_know_the_delegate_the_port_and_who_failed(tmp_path: Path) -> None:
    player = ScriptedPlayer({("host", "b"): [BROKEN]})
    later = Segment("t", (("nodes", ("a",)),), after=("s",), delegates=("b", "a"), variables={"x": 1})
    state, events = supervise(tmp_path, player, ONE, later)
    assert player.calls[1].variables == {
        "x": 1,
        "kubexms_artifact_port": 1234,
        "kubexms_failed_hosts": ["b"],
        "kubexms_delegate": "a",
    }
    assert state == "partial"
    assert events[-1].data == {"state": "partial", "failed_hosts": ["b"], "blocked_hosts": []}


def test_a_flaky_host_is_tried_again_from_the_failed_stage(tmp_path: Path) -> None:
    player = ScriptedPlayer({("join", "b"): [FLAKY, FLAKY]})
    state, events = supervise(tmp_path, player, retries={"join": Retry(3, 0.01, 1.0)})
    assert state == "done"
    assert [call.stages for call in player.calls[1:]] == [(("join", ("b",)),)] * 2
    attempts = [(event.kind, event.attempt) for event in events if event.stage == "join"]
    assert attempts == [
        ("step.started", 1),
        ("step.retry", 1),
        ("step.started", 2),
        ("step.retry", 2),
        ("step.started", 3),
        ("step.done", 3),
    ]


def test_segments_wait_for_each_other_and_what_is_needed_blocks(tmp_path: Path) -> None:
    player = ScriptedPlayer({("init", "a"): [BROKEN]})
    first = Segment("first", (("init", ("a",)),))
    join = Segment("join", (("join", ("b",)),), needs=("first",))
    state, events = supervise(tmp_path, player, first, join)
    assert state == "failed"
    assert short(events)[3:] == [
        "step.failed init a",
        "segment.finished",
        "step.blocked join b",
        "segment.finished",
        "run.finished",
    ]
    assert [event.data["state"] for event in events if event.kind == Kind.SEGMENT_FINISHED] == [
        "failed",
        "blocked",
    ]
    assert events[-1].data["blocked_hosts"] == ["b"]


def test_a_stage_out_of_time_fails_and_others_go_on(tmp_path: Path) -> None:
    player = ScriptedPlayer({("host", "b"): ["hang"]})
    segment = Segment("s", (("host", ("a", "b")), ("join", ("a",))))
    state, events = supervise(tmp_path, player, segment, stage_timeouts={"host": 0.1})
    assert player.stops == [1]
    assert state == "partial"
    failed = next(event for event in events if event.kind == Kind.STEP_FAILED)
    assert (failed.host, failed.data["error"]["code"]) == ("b", "timeout")
    assert "step.done join a" in short(events)


def test_a_run_out_of_time_is_stopped(tmp_path: Path) -> None:
    player = ScriptedPlayer({("host", "a"): ["hang"]})
    state, events = supervise(tmp_path, player, timeout_seconds=0.1)
    assert state == "timeout"
    assert short(events)[-3:] == ["run.cancelling", "step.interrupted host a", "run.finished"]
    assert events[-2].data == {"reason": "timeout"}


def test_the_run_deadline_holds_while_reports_keep_coming(tmp_path: Path) -> None:
    """A busy queue must not keep the owner from looking at the clock."""

    class Talker(ScriptedPlayer):
        def messages(self, call: Call) -> Iterator[Message]:
            yield Message("play", stage="host")
            while not self.stopped.is_set():
                yield Message("task", task="Talk")
            yield Message("hang")

    state, _ = supervise(tmp_path, Talker(), timeout_seconds=0.2)
    assert state == "timeout"


def test_cancel_interrupts_what_runs_and_blocks_nothing(
    tmp_path: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    player = ScriptedPlayer({("host", "a"): ["hang"]})
    job = Job("r1", "t1", "deploy", "/i", "/c", (ONE,))
    with Spool(tmp_path, "r1") as spool:
        subject = Supervisor(job, spool, player, {})
        runner = threading.Thread(target=subject.run)
        runner.start()
        until(lambda: "step.started host a" in short(read_events(tmp_path)[0]))
        subject.put(Stop())
        runner.join(20)
    assert short(read_events(tmp_path)[0])[-3:] == [
        "run.cancelling",
        "step.interrupted host a",
        "run.finished",
    ]
    assert read_events(tmp_path)[0][-1].data["state"] == "cancelled"


def test_a_player_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_SECONDS", 0.05)

    class Deaf(ScriptedPlayer):
        def stop_all(self) -> None:
            """Stop nothing."""

    player = Deaf({("host", "a"): ["hang"]})
    try:
        state, events = supervise(tmp_path, player, timeout_seconds=0.05)
    finally:
        player.stopped.set()
    assert state == "timeout"
    assert short(events)[-2:] == ["step.interrupted host a", "run.finished"]


def test_a_step_is_on_disk_before_the_next_stage_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[int] = []
    seen: dict[str, int] = {}
    monkeypatch.setattr(spool_module.os, "fdatasync", lambda _: on_disk.append(len(read_events(tmp_path)[0])))

    class Watcher(ScriptedPlayer):
        def messages(self, call: Call) -> Iterator[Message]:
            for message in super().messages(call):
                yield message
                if message.kind == "play":
                    seen[message.stage] = on_disk[-1]

    _, events = supervise(tmp_path, Watcher())
    done = max(event.seq for event in events if event.kind == "step.done" and event.stage == "host")
    assert seen["join"] >= done


def test_a_spool_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    _, before = supervise(tmp_path, ScriptedPlayer())
    _, events = supervise(tmp_path, ScriptedPlayer())
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    started = [event.data["resumed"] for event in events if event.kind == Kind.RUN_STARTED]
    assert started == [False, True]
    assert len(events) == 2 * len(before)
