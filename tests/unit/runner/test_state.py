# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a run: what each report and each end of a call moves."""

from collections.abc import Sequence
from typing import Any

import pytest

from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Job, Retry, Segment
from kubexms.runner.messages import Message, failure
from kubexms.runner.playbook import Call
from kubexms.runner.state import Outcome, RunState

BROKEN = failure("command-failed", "it broke")
FLAKY = failure("download-failed", "it may work", retriable=True)
TWO_STAGES = Segment("s", (("one", ("a", "b")), ("two", ("a", "b"))))


def state_of(*segments: Segment, **fields: Any) -> RunState:
    return RunState(Job("r", "t", "deploy", "/i", "/c", segments or (TWO_STAGES,), **fields))


def launch(state: RunState, segment: str = "s", hosts: Sequence[str] = ("a", "b")) -> Call:
    return state.launch(segment, hosts, {}, 0.0)[0]


def short(drafts: Sequence[Draft]) -> list[str]:
    """Return drafts as "kind stage host"."""
    return [" ".join(filter(None, (draft.kind, draft.stage, draft.host))) for draft in drafts]


def say(state: RunState, number: int, *messages: Message, at: float = 1.0) -> list[str]:
    return short([draft for message in messages for draft in state.report(number, message, at)])


def play(stage: str) -> Message:
    return Message("play", stage=stage)


def start(host: str) -> Message:
    return Message("start", host=host)


def ok(host: str, *, last: bool = True, **fields: Any) -> Message:
    return Message("ok", host=host, last=last, **fields)


def failed(host: str, error: dict[str, Any] = BROKEN, **fields: Any) -> Message:
    return Message("failed", host=host, error=error, **fields)


def states(state: RunState, segment: str = "s") -> dict[str, str]:
    return {host: track.state for host, track in state.tracks[segment].items()}


def test_each_host_has_the_stages_that_name_it() -> None:
    state = state_of(Segment("s", (("one", ("a", "b")), ("two", ("b",)), ("three", ("a", "b")))))
    assert state.tracks["s"]["a"].stages == ("one", "three")
    assert state.tracks["s"]["b"].stages == ("one", "two", "three")


def test_a_call_has_only_what_is_left_to_do() -> None:
    state = state_of()
    state.tracks["s"]["a"].position = 1
    call, drafts = state.launch("s", ("a", "b"), {"x": 1}, 0.0)
    assert call == Call(1, "s", (("one", ("b",)), ("two", ("a", "b"))), {"x": 1})
    assert drafts[0].data == {"segment": "s", "stages": call.stages, "wave": 1}
    assert launch(state, hosts=("a",)).stages == (("two", ("a",)),)


def test_a_stage_is_done_with_its_provably_last_task() -> None:
    state = state_of()
    launch(state)
    assert say(state, 1, play("one"), Message("task", task="Act"), start("a"), start("b")) == [
        "task.started one",
        "step.started one a",
        "step.started one b",
    ]
    assert say(state, 1, ok("a", last=False)) == []
    assert say(state, 1, ok("a")) == ["step.done one a"]
    assert say(state, 1, ok("a"), start("a")) == []
    assert say(state, 1, ok("b"), play("two"), start("b")) == ["step.done one b", "step.started two b"]


def test_without_a_proof_a_stage_is_done_when_the_next_play_begins() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"), start("a"), start("b"), ok("a", last=False))
    assert say(state, 1, failed("b")) == ["step.failed one b", "step.blocked two b"]
    assert say(state, 1, play("two")) == ["step.done one a"]


def test_or_when_the_playbook_ends() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"), start("a"), ok("a"), play("two"), start("a"), ok("a", last=False))
    assert say(state, 1, Message("end")) == ["step.done two a"]


def test_a_playbook_that_ends_after_a_failure_proves_nothing() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"), start("a"), start("b"), failed("b"))
    assert say(state, 1, Message("end")) == []
    assert short(state.ended(1, Outcome(2), 2.0)) == ["step.failed one a", "step.blocked two a"]


def test_batches_of_one_play_end_one_after_the_other() -> None:
    state = state_of(Segment("s", (("one", ("a", "b")),)))
    launch(state)
    say(state, 1, play("one"), start("a"), ok("a", last=False))
    assert say(state, 1, play("one"), start("b")) == ["step.done one a", "step.started one b"]
    assert say(state, 1, failed("b"), Message("end")) == ["step.failed one b"]
    assert states(state) == {"a": "done", "b": "failed"}


def test_what_the_probe_saw_is_an_event() -> None:
    state = state_of(Segment("s", (("probe", ("a",)),)))
    launch(state, hosts=("a",))
    state.report(1, play("probe"), 0.0)
    drafts = state.report(1, ok("a", observation={"schema": 1}), 1.0)
    assert drafts[0] == Draft(Kind.OBSERVATION, "probe", "a", data={"schema": 1})
    assert short(drafts[1:]) == ["step.done probe a"]


def test_a_task_run_once_fails_for_all_in_the_play() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"), start("a"))
    assert say(state, 1, failed("a", all=True, task="Get a token")) == [
        "step.failed one a",
        "step.blocked two a",
        "step.failed one b",
        "step.blocked two b",
    ]
    assert state.left == {"a": "failed", "b": "failed"}


def test_a_host_that_left_is_remembered_once() -> None:
    state = state_of(TWO_STAGES, Segment("t", (("one", ("a",)),)))
    launch(state)
    say(state, 1, play("one"), failed("a"))
    assert short(state.block("t", ("a",), "it failed")) == ["step.blocked one a"]
    assert state.left == {"a": "failed"}


def test_a_retry_in_another_call_is_not_ended_with_the_first() -> None:
    state = state_of(retries={"one": Retry(2, 0.0)})
    launch(state)
    say(state, 1, play("one"), start("a"), start("b"), failed("a", FLAKY), ok("b"))
    launch(state, hosts=("a",))
    say(state, 1, play("two"))
    assert short(state.ended(1, Outcome(2), 2.0)) == ["step.failed two b"]
    assert states(state) == {"a": "running", "b": "failed"}
    assert say(state, 2, play("one"), start("a"), ok("a")) == ["step.started one a", "step.done one a"]


def test_reports_that_fit_nothing_change_nothing() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"))
    assert say(state, 1, start("stranger"), ok("stranger"), failed("stranger")) == []
    assert say(state, 9, play("one"), start("a")) == []
    assert say(state, 1, play("unknown"), start("a"), ok("a"), failed("a")) == []


# What is left behind when a call ends: (what it said before, stopped, what happens to a and b).
IN_ONE = (play("one"), start("a"), start("b"))
CUTS: list[tuple[tuple[Message, ...], bool, list[str], dict[str, str]]] = [
    # it never got to a play
    ((), False, ["step.failed one a", "step.failed one b"], {"a": "failed", "b": "failed"}),
    # it died in the middle of a play
    (IN_ONE, False, ["step.failed one a", "step.failed one b"], {"a": "failed", "b": "failed"}),
    # the play took hosts in turn and broke off at the first
    ((play("one"), start("a"), failed("a")), False, ["step.blocked one b"], {"a": "failed", "b": "blocked"}),
    # the play is out of time
    (IN_ONE, True, ["step.failed one a", "step.failed one b"], {"a": "failed", "b": "failed"}),
    # it is out of time when a has passed it: a goes on in another call
    ((*IN_ONE, ok("a")), True, ["step.failed one b"], {"a": "retry", "b": "failed"}),
    # it is out of time before b had its turn
    (
        (play("one"), start("a")),
        True,
        ["step.failed one a", "step.blocked one b"],
        {"a": "failed", "b": "blocked"},
    ),
    # a play passed without the host: it is in no inventory
    (
        (*IN_ONE[:2], ok("a"), play("two"), start("a"), ok("a")),
        False,
        ["step.failed one b"],
        {"a": "done", "b": "failed"},
    ),
    # as before, and another host failed
    (
        (*IN_ONE[:2], ok("a"), play("two"), start("a"), failed("a")),
        False,
        ["step.failed one b"],
        {"a": "failed", "b": "failed"},
    ),
]


@pytest.mark.parametrize(("said", "stopped", "events", "after"), CUTS)
def test_the_end_of_a_call(
    said: tuple[Message, ...], stopped: bool, events: list[str], after: dict[str, str]
) -> None:
    state = state_of(stage_timeouts={"one": 5.0})
    launch(state)
    say(state, 1, *said)
    state.running[1].stopped = stopped
    drafts = state.ended(1, Outcome(2, ("ERROR! it ended",)), 6.0)
    whole = short(drafts)
    assert [event for event in whole if not event.startswith("step.blocked two")] == events
    assert states(state) == after
    assert state.running == {}
    assert state.moved


def test_hosts_with_later_stages_go_on_when_a_play_lost_all_its_hosts() -> None:
    state = state_of(Segment("s", (("one", ("a",)), ("two", ("a", "b")))))
    launch(state)
    say(state, 1, play("one"), start("a"), failed("a"))
    assert state.ended(1, Outcome(2), 3.0) == []
    assert states(state) == {"a": "failed", "b": "retry"}
    assert (state.tracks["s"]["b"].due, state.tracks["s"]["b"].attempt) == (3.0, 1)


def test_a_call_that_died_tells_its_last_words() -> None:
    state = state_of()
    launch(state)
    error = state.ended(1, Outcome(4, ("ERROR! no such file",)), 6.0)[0].data["error"]
    assert (error["code"], error["tail"], error["retriable"]) == ("internal", ["ERROR! no such file"], False)


def test_a_timeout_may_be_tried_again() -> None:
    state = state_of(stage_timeouts={"one": 5.0}, retries={"one": Retry(2, 1.0)})
    launch(state)
    say(state, 1, *IN_ONE)
    state.running[1].stopped = True
    assert say(state, 1, ok("a"), failed("b")) == []
    drafts = state.ended(1, Outcome(-9), 6.0)
    assert short(drafts) == ["step.retry one a", "step.retry one b"]
    assert drafts[0].data["error"]["message"] == "stage one was not done on a after 5 s"


def test_stopping_interrupts_what_had_begun() -> None:
    state = state_of()
    launch(state)
    say(state, 1, play("one"), start("a"))
    state.stopping = "cancelled"
    assert say(state, 1, ok("a")) == []
    drafts = state.ended(1, Outcome(-2), 2.0)
    assert short(drafts) == ["step.interrupted one a"]
    assert drafts[0].data == {"reason": "cancelled"}
    assert states(state) == {"a": "interrupted", "b": "interrupted"}
