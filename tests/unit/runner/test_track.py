# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's way through a segment: every move, its events, and where it leaves the host."""

from typing import Any

import pytest

from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Retry
from kubexms.runner.messages import failure
from kubexms.runner.track import Track

ONCE = Retry(1)
TWICE = Retry(2, delay_seconds=3.0, backoff=2.0)
BROKEN = failure("command-failed", "it broke")
FLAKY = failure("download-failed", "it may work", retriable=True)
AWAY = failure("unreachable", "no route", retriable=True)


def track(**fields: Any) -> Track:
    found = Track("a", ("host", "files", "join"), **fields)
    found.launch(1)
    return found


def test_a_step_starts_once() -> None:
    subject = track()
    assert subject.begin(5.0) == [Draft(Kind.STEP_STARTED, "host", "a", attempt=1)]
    assert subject.begin(6.0) == []


def test_a_step_that_is_done_tells_all_its_tasks_changed() -> None:
    subject = track()
    subject.begin(5.0)
    subject.note(changed=True, differences=[{"path": "one"}])
    subject.note(changed=False, differences=[{"path": "two"}])
    data = {"changed": True, "differences": [{"path": "one"}, {"path": "two"}], "seconds": 2.5}
    assert subject.succeed(7.5) == [Draft(Kind.STEP_DONE, "host", "a", attempt=1, data=data)]
    assert (subject.stage, subject.state) == ("files", "running")
    assert subject.succeed(9.0)[0].data == {"changed": False, "differences": [], "seconds": 0.0}
    subject.succeed(9.0)
    assert (subject.stage, subject.state, subject.left) == ("", "done", ())


@pytest.mark.parametrize(
    ("error", "retry", "attempt", "kinds", "state", "due"),
    [
        (BROKEN, ONCE, 1, [Kind.STEP_FAILED, Kind.STEP_BLOCKED, Kind.STEP_BLOCKED], "failed", 0.0),
        (BROKEN, TWICE, 1, [Kind.STEP_FAILED, Kind.STEP_BLOCKED, Kind.STEP_BLOCKED], "failed", 0.0),
        (FLAKY, ONCE, 1, [Kind.STEP_FAILED, Kind.STEP_BLOCKED, Kind.STEP_BLOCKED], "failed", 0.0),
        (FLAKY, TWICE, 1, [Kind.STEP_RETRY], "retry", 13.0),
        (FLAKY, TWICE, 2, [Kind.STEP_FAILED, Kind.STEP_BLOCKED, Kind.STEP_BLOCKED], "failed", 0.0),
        (AWAY, TWICE, 1, [Kind.HOST_UNREACHABLE, Kind.STEP_RETRY], "retry", 13.0),
        (FLAKY, Retry(3, 3.0, 2.0), 2, [Kind.STEP_RETRY], "retry", 16.0),
    ],
)
def test_failures(
    error: dict[str, Any], retry: Retry, attempt: int, kinds: list[Kind], state: str, due: float
) -> None:
    subject = track(attempt=attempt)
    subject.begin(5.0)
    drafts = subject.fail(error, retry, 10.0, task="Prepare")
    assert [draft.kind for draft in drafts] == kinds
    assert (subject.state, subject.due, subject.begun) == (state, due, None)
    told = next(draft for draft in drafts if draft.kind in (Kind.STEP_FAILED, Kind.STEP_RETRY))
    assert (told.stage, told.host, told.task, told.attempt) == ("host", "a", "Prepare", attempt)
    assert told.data["error"] == error


def test_what_follows_a_failure_is_blocked_with_the_reason() -> None:
    subject = track(position=1)
    blocked = subject.fail(BROKEN, ONCE, 10.0)[1:]
    assert [(draft.stage, draft.data) for draft in blocked] == [
        ("join", {"reason": "stage files failed on a"})
    ]


def test_a_retry_counts_and_a_new_stage_starts_at_one() -> None:
    subject = track()
    subject.fail(FLAKY, TWICE, 10.0)
    subject.launch(2)
    assert subject.begin(13.0)[0].attempt == 2
    assert subject.succeed(14.0)[0].attempt == 2
    assert subject.begin(14.0)[0].attempt == 1


def test_an_attempt_forgets_what_the_one_before_changed() -> None:
    subject = track()
    subject.note(changed=True, differences=[{"path": "one"}])
    subject.fail(FLAKY, TWICE, 10.0)
    subject.launch(2)
    assert subject.succeed(14.0)[0].data == {"changed": False, "differences": [], "seconds": 0.0}


def test_resuming_counts_no_attempt() -> None:
    subject = track(position=1)
    assert subject.resume(4.0) == []
    assert (subject.state, subject.due, subject.attempt) == ("retry", 4.0, 1)


def test_a_blocked_host_names_every_stage_left() -> None:
    subject = track(position=1)
    assert subject.block("no help") == [
        Draft(Kind.STEP_BLOCKED, "files", "a", data={"reason": "no help"}),
        Draft(Kind.STEP_BLOCKED, "join", "a", data={"reason": "no help"}),
    ]
    assert subject.state == "blocked"


def test_only_a_step_that_began_is_interrupted() -> None:
    idle, busy = track(), track()
    busy.begin(1.0)
    assert idle.interrupt("cancelled") == []
    assert busy.interrupt("timeout") == [
        Draft(Kind.STEP_INTERRUPTED, "host", "a", attempt=1, data={"reason": "timeout"})
    ]
    assert (idle.state, busy.state) == ("interrupted", "interrupted")
