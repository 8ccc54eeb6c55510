# SPDX-License-Identifier: GPL-3.0-or-later
"""From events to rows: each event once, steps after them, the offset with them."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kubexms.context import Context
from kubexms.plan.states import RunState, StepState
from kubexms.runner.events import Event as RunnerEvent
from kubexms.runner.events import Kind
from kubexms.store.ingest import STEP_EVENTS, moved_step
from kubexms.store.records import Event, Failure, Ingested, PlannedStep, Run, Step
from kubexms.store.store import Store

EventMaker = Callable[..., Event]
ERROR = {
    "code": "timeout",
    "message": "kubelet is not healthy",
    "hint": "look at its log",
    "tail": ["line 1", "line 2"],
    "retriable": True,
}
FAILURE = Failure(
    "timeout", "kubelet is not healthy", "look at its log", ("line 1", "line 2"), retriable=True
)


def only_step(ctx: Context, store: Store, run: Run) -> Step:
    """Return the run's one step."""
    (step,) = store.steps.list(ctx, run.id)
    return step


def test_a_batch_is_stored_with_its_offset(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [make_event(1, "run.started", "", "", verb="deploy"), make_event(2, "step.started")]
    assert store.ingest(ctx, run.id, events, 120) == Ingested(2, 0, 0, (), 120)
    assert store.events.list(ctx, run.id) == tuple(events)
    assert store.runs.get(ctx, run.id) == replace(run, spool_offset=120)


def test_the_runners_own_events_are_taken_as_they_are(ctx: Context, store: Store, run: Run) -> None:
    line = RunnerEvent(
        1, 1000.5, Kind.STEP_STARTED, run.id, "host", "n1", "kubexms.cluster.host", 2, {"a": [1, None, "ü"]}
    )
    store.ingest(ctx, run.id, [RunnerEvent.from_line(line.to_line())], 90)
    expected = Event(
        run.id, 1, 1000.5, "step.started", "host", "n1", "kubexms.cluster.host", 2, {"a": [1, None, "ü"]}
    )
    assert store.events.list(ctx, run.id) == (expected,)


def test_every_step_event_of_the_runner_is_known() -> None:
    assert {kind for kind in Kind if kind.startswith("step.")} == STEP_EVENTS.keys()


def test_reading_again_changes_nothing(ctx: Context, store: Store, run: Run, make_event: EventMaker) -> None:
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.retry", error=ERROR),
        make_event(3, "step.started"),
        make_event(4, "step.done", changed=True),
    ]
    store.ingest(ctx, run.id, events, 400)
    before = store.events.list(ctx, run.id), store.steps.list(ctx, run.id)
    assert store.ingest(ctx, run.id, events, 400) == Ingested(0, 4, 0, (), 400)
    assert store.ingest(ctx, run.id, events[:2], 200) == Ingested(0, 2, 0, (), 400)
    assert store.ingest(ctx, run.id, [], 0) == Ingested(0, 0, 0, (), 400)
    assert (store.events.list(ctx, run.id), store.steps.list(ctx, run.id)) == before


def test_overlapping_and_doubled_batches_give_each_event_once(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [make_event(seq, "step.started" if seq % 2 else "step.done") for seq in range(1, 9)]
    events = [replace(event, host=f"n{(event.seq + 1) // 2}") for event in events]
    generator = random.Random(7)
    position = 0
    while position < len(events):
        start = generator.randrange(position + 1)
        end = generator.randrange(position, len(events)) + 1
        store.ingest(ctx, run.id, events[start:end] * 2, end)
        position = max(position, end)
    assert store.events.list(ctx, run.id) == tuple(events)
    assert [(step.state, step.attempt) for step in store.steps.list(ctx, run.id)] == [(StepState.DONE, 1)] * 4
    assert store.runs.get(ctx, run.id).spool_offset == 8


def test_left_out_numbers_are_counted_and_taken_later(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [make_event(seq, "task.started") for seq in range(1, 8)]
    assert store.ingest(ctx, run.id, [events[0], events[3]], 10).missing == 2
    assert store.ingest(ctx, run.id, [events[6]], 20).missing == 2
    late = store.ingest(ctx, run.id, events, 30)
    assert (late.inserted, late.repeated, late.missing) == (4, 3, 0)
    assert [event.seq for event in store.events.list(ctx, run.id)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_step_goes_from_start_to_done(ctx: Context, store: Store, run: Run, make_event: EventMaker) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("host", "n1", "sha256:1", "swap is on")])
    planned = only_step(ctx, store, run)
    store.ingest(ctx, run.id, [make_event(1, "step.started")], 10)
    running = replace(planned, state=StepState.RUNNING, attempt=1, started_at=1001.0)
    assert only_step(ctx, store, run) == running
    store.ingest(ctx, run.id, [make_event(2, "task.started"), make_event(3, "step.done", changed=True)], 20)
    done = replace(running, state=StepState.DONE, changed=True, finished_at=1003.0)
    assert only_step(ctx, store, run) == done


def test_a_retry_waits_with_its_error_and_counts(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started"), make_event(2, "step.retry", error=ERROR)], 10)
    waiting = only_step(ctx, store, run)
    assert (waiting.state, waiting.attempt, waiting.error) == (StepState.PENDING, 1, FAILURE)
    store.ingest(ctx, run.id, [make_event(3, "step.started")], 20)
    again = only_step(ctx, store, run)
    assert (again.state, again.attempt, again.started_at) == (StepState.RUNNING, 2, 1003.0)
    assert again.finished_at is None
    store.ingest(ctx, run.id, [make_event(4, "step.failed", error=ERROR)], 30)
    failed = only_step(ctx, store, run)
    assert (failed.state, failed.attempt, failed.error) == (StepState.FAILED, 2, FAILURE)
    assert (failed.started_at, failed.finished_at) == (1003.0, 1004.0)


def test_success_clears_the_error_of_an_earlier_attempt(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.retry", error=ERROR),
        make_event(3, "step.started"),
        make_event(4, "step.done", changed=False),
    ]
    store.ingest(ctx, run.id, events, 10)
    step = only_step(ctx, store, run)
    assert (step.state, step.error, step.changed) == (StepState.DONE, None, False)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("step.skipped", (StepState.SKIPPED, "because", None)),
        ("step.blocked", (StepState.BLOCKED, "swap is on", Failure("blocked", "because"))),
        ("step.interrupted", (StepState.INTERRUPTED, "swap is on", Failure("interrupted", "because"))),
    ],
)
def test_steps_that_do_not_run_say_why(
    ctx: Context, store: Store, run: Run, make_event: EventMaker, kind: str, expected: tuple[object, ...]
) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("host", "n1", "sha256:1", "swap is on")])
    store.ingest(ctx, run.id, [make_event(1, kind, reason="because")], 10)
    step = only_step(ctx, store, run)
    assert (step.state, step.reason, step.error) == expected
    assert step.finished_at == 1001.0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "odd", "later_field": 1}, Failure("unknown", "odd")),
        ({"code": "x", "tail": None}, Failure("x", "")),
        ("just text", Failure("unknown", "just text")),
        (None, None),
        ({}, None),
    ],
    ids=["later version", "no tail", "text", "none", "empty"],
)
def test_an_odd_error_does_not_stop_the_ingest(
    ctx: Context, store: Store, run: Run, make_event: EventMaker, error: object, expected: Failure | None
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started"), make_event(2, "step.failed", error=error)], 10)
    step = only_step(ctx, store, run)
    assert (step.state, step.error) == (StepState.FAILED, expected)


def test_a_done_step_does_not_start_again_by_an_event(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started"), make_event(2, "step.done")], 10)
    done = only_step(ctx, store, run)
    contradictions = [make_event(seq, kind) for seq, kind in enumerate(sorted(STEP_EVENTS), 3)]
    result = store.ingest(ctx, run.id, contradictions, 20)
    expected = tuple(event.seq for event in contradictions if event.kind != "step.done")
    assert (result.inserted, result.unapplied) == (len(contradictions), expected)
    assert only_step(ctx, store, run).state is StepState.DONE
    assert only_step(ctx, store, run).attempt == done.attempt
    assert len(store.events.list(ctx, run.id)) == 2 + len(contradictions)


def test_a_start_told_twice_counts_once() -> None:
    step = Step("r1", "host", "n1", StepState.PENDING)
    once = moved_step(step, Event("r1", 1, 10.0, "step.started", "host", "n1"))
    assert once is not None
    twice = moved_step(once, Event("r1", 2, 11.0, "step.started", "host", "n1"))
    assert twice is not None
    assert (once.attempt, twice.attempt) == (1, 1)


def test_the_end_of_a_run_interrupts_what_still_runs(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.started", host="n2"),
        make_event(3, "step.done", host="n2"),
        make_event(4, "run.finished", "", "", state="cancelled"),
    ]
    store.ingest(ctx, run.id, events, 10)
    steps = {step.host: (step.state, step.finished_at) for step in store.steps.list(ctx, run.id)}
    assert steps == {"n1": (StepState.INTERRUPTED, 1004.0), "n2": (StepState.DONE, 1003.0)}
    assert store.runs.get(ctx, run.id).state is RunState.RUNNING


def test_one_batch_may_hold_the_events_of_two_supervisors(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.started", host="n2"),
        make_event(3, "run.finished", "", "", state="cancelled"),
        make_event(4, "run.started", "", "", resumed=True),
        make_event(5, "step.started", host="n2"),
    ]
    store.ingest(ctx, run.id, events, 10)
    steps = {step.host: (step.state, step.attempt) for step in store.steps.list(ctx, run.id)}
    assert steps == {"n1": (StepState.INTERRUPTED, 1), "n2": (StepState.RUNNING, 2)}


def test_the_real_end_of_a_step_counts_even_when_it_is_read_late(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started")], 10)
    store.runs.transition(ctx, run.id, RunState.INTERRUPTED)
    result = store.ingest(ctx, run.id, [make_event(2, "step.done", changed=True)], 20)
    assert result.unapplied == ()
    assert only_step(ctx, store, run).state is StepState.DONE


def test_unplanned_steps_and_other_kinds(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    others = [
        make_event(seq, kind)
        for seq, kind in enumerate(("observation", "host.unreachable", "segment.started", "from.later"), 1)
    ]
    store.ingest(ctx, run.id, others, 10)
    assert store.steps.list(ctx, run.id) == ()
    store.ingest(ctx, run.id, [make_event(5, "step.started", "probe")], 20)
    assert only_step(ctx, store, run) == Step(
        run.id, "probe", "n1", StepState.RUNNING, attempt=1, started_at=1005.0
    )


def test_ten_thousand_events_cost_less_than_a_second(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    kinds = ("step.started", "task.started", "observation", "step.done")
    data = {"changed": True, "differences": [{"path": "sysctl a.b", "before": "0", "after": "1"}]}
    events = [
        make_event(seq, kinds[(seq - 1) % 4], "host", f"n{(seq - 1) // 4}", **data)
        for seq in range(1, 20_001)
    ]
    begin = time.process_time()
    for start in range(0, len(events), 1000):
        store.ingest(ctx, run.id, events[start : start + 1000], start)
    assert time.process_time() - begin < 2.0
    assert len(store.steps.list(ctx, run.id, states=[StepState.DONE])) == 5000
