# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps are opened by plans, closed by hand only where a new plan needs them no more."""

from collections.abc import Callable

import pytest

from kubexms.context import Context
from kubexms.errors import IllegalTransition, NotFound
from kubexms.plan.states import RunState, StepState
from kubexms.store.records import Event, PlannedStep, Run, Step
from kubexms.store.store import Store

EventMaker = Callable[..., Event]


def states(ctx: Context, store: Store, run: Run) -> dict[tuple[str, str], StepState]:
    """Return the state of every step of the run."""
    return {(step.stage, step.host): step.state for step in store.steps.list(ctx, run.id)}


def test_planned_steps_are_pending(ctx: Context, store: Store, run: Run) -> None:
    planned = [PlannedStep("init", "n1", "sha256:2", "not joined"), PlannedStep("host", "n2", "sha256:1")]
    store.runs.set_plan(ctx, run.id, {}, planned)
    assert store.steps.list(ctx, run.id) == (
        Step(run.id, "host", "n2", StepState.PENDING, digest="sha256:1"),
        Step(run.id, "init", "n1", StepState.PENDING, digest="sha256:2", reason="not joined"),
    )


def test_a_resumed_run_reopens_what_its_new_plan_names(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("host", name, "old") for name in ("n1", "n2", "n3")])
    error = {"code": "timeout", "message": "too slow"}
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.failed", error=error),
        make_event(3, "step.started", host="n2"),
        make_event(4, "step.done", host="n2", changed=True),
        make_event(5, "step.started", host="n3"),
    ]
    store.ingest(ctx, run.id, events, 50)
    store.runs.transition(ctx, run.id, RunState.INTERRUPTED)
    store.runs.transition(ctx, run.id, RunState.RUNNING)
    again = [PlannedStep("host", "n1", "new", "again"), PlannedStep("host", "n2", "new", "changed since")]
    store.runs.set_plan(ctx, run.id, {}, again)
    first, second, third = store.steps.list(ctx, run.id)
    assert first == Step(run.id, "host", "n1", StepState.PENDING, "new", attempt=1, reason="again")
    assert second == Step(run.id, "host", "n2", StepState.PENDING, "new", attempt=1, reason="changed since")
    assert (third.state, third.digest, third.attempt) == (StepState.INTERRUPTED, "old", 1)


def test_steps_without_need_are_skipped_with_the_reason(ctx: Context, store: Store, run: Run) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("host", "n1", "d"), PlannedStep("host", "n2", "d")])
    store.steps.skip(ctx, run.id, [("host", "n1")], "already so")
    first, second = store.steps.list(ctx, run.id)
    assert (first.state, first.reason) == (StepState.SKIPPED, "already so")
    assert second.state is StepState.PENDING


def test_done_and_unknown_steps_are_not_skipped(
    ctx: Context, store: Store, run: Run, make_event: EventMaker
) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("files", "n1", "d")])
    store.ingest(ctx, run.id, [make_event(1, "step.started"), make_event(2, "step.done")], 10)
    before = states(ctx, store, run)
    with pytest.raises(IllegalTransition, match=r"host on n1 of run .* is done and cannot become skipped"):
        store.steps.skip(ctx, run.id, [("files", "n1"), ("host", "n1")], "x")
    with pytest.raises(NotFound, match="has no step"):
        store.steps.skip(ctx, run.id, [("files", "n1"), ("join", "n1")], "x")
    assert states(ctx, store, run) == before


def test_steps_are_filtered(ctx: Context, store: Store, run: Run, make_event: EventMaker) -> None:
    planned = [PlannedStep(stage, host, "d") for stage in ("host", "files") for host in ("n1", "n2")]
    store.runs.set_plan(ctx, run.id, {}, planned)
    store.ingest(ctx, run.id, [make_event(1, "step.started")], 10)

    def chosen(**filters: object) -> list[tuple[str, str]]:
        return [(step.stage, step.host) for step in store.steps.list(ctx, run.id, **filters)]  # type: ignore[arg-type]

    assert chosen() == [("files", "n1"), ("files", "n2"), ("host", "n1"), ("host", "n2")]
    assert chosen(states=[StepState.RUNNING]) == [("host", "n1")]
    assert chosen(stages=["files"]) == [("files", "n1"), ("files", "n2")]
    assert chosen(hosts=["n2"]) == [("files", "n2"), ("host", "n2")]
    assert chosen(hosts=["n1"], stages=["files", "host"], states=[StepState.PENDING]) == [("files", "n1")]
