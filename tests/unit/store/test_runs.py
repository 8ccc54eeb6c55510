# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: one active per cluster, one gate for every move, pages, and the end of old ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.errors import IllegalTransition, NotFound, Refused, RunActive, StoreFailed
from kubexms.plan.states import RUN_TRANSITIONS, RunState, StepState
from kubexms.store import runs
from kubexms.store.records import Cluster, Event, Failure, PlannedStep, Run
from kubexms.store.store import Store

Clock = Callable[[float], None]
NO_PARENT = Path("runs")


def finished(ctx: Context, store: Store, cluster: Cluster, state: RunState = RunState.FAILED) -> Run:
    """Return a run of the cluster that went from queued to its end."""
    run = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    store.runs.transition(ctx, run.id, RunState.RUNNING)
    return store.runs.transition(ctx, run.id, state)


def test_a_new_run_is_queued(store: Store, cluster: Cluster, clock: Clock, tmp_path: Path) -> None:
    clock(1_700_000_000.5)
    ctx = Context(trace_id="0123456789abcdef0123456789abcdef")
    run = store.runs.create(ctx, cluster.id, "deploy", tmp_path / "runs")
    assert run.id.startswith("20231114-221320-")
    assert run == Run(
        id=run.id,
        cluster_id=cluster.id,
        verb="deploy",
        state=RunState.QUEUED,
        trace_id=ctx.trace_id,
        directory=tmp_path / "runs" / run.id,
        created_at=1_700_000_000.5,
    )
    assert store.runs.get(ctx, run.id) == run
    assert not run.directory.exists()


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING])
def test_an_active_run_keeps_others_out(
    ctx: Context, store: Store, cluster: Cluster, state: RunState
) -> None:
    run = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    for step in (RunState.RUNNING, RunState.CANCELLING):
        if run.state is not state:
            run = store.runs.transition(ctx, run.id, step)
    with pytest.raises(RunActive, match=rf"run {run.id} \(deploy\) of this cluster is {state}") as caught:
        store.runs.create(ctx, cluster.id, "reset", NO_PARENT)
    assert caught.value.run_id == run.id
    assert store.runs.active(ctx, cluster.id) == run
    assert len(store.runs.list(ctx).items) == 1


@pytest.mark.parametrize("state", [RunState.INTERRUPTED, RunState.DONE, RunState.PARTIAL, RunState.FAILED])
def test_a_run_that_stopped_lets_others_in(
    ctx: Context, store: Store, cluster: Cluster, state: RunState
) -> None:
    finished(ctx, store, cluster, state)
    assert store.runs.active(ctx, cluster.id) is None
    assert store.runs.create(ctx, cluster.id, "deploy", NO_PARENT).state is RunState.QUEUED


def test_clusters_run_beside_each_other(ctx: Context, store: Store, cluster: Cluster) -> None:
    other = store.clusters.put(ctx, "test", path="/x", definition_digest="")
    both = [store.runs.create(ctx, each.id, "deploy", NO_PARENT) for each in (cluster, other)]
    assert [run.state for run in both] == [RunState.QUEUED, RunState.QUEUED]


@pytest.mark.parametrize("wanted", [RunState.QUEUED, RunState.RUNNING])
def test_a_run_cannot_be_resumed_beside_an_active_one(
    ctx: Context, store: Store, cluster: Cluster, wanted: RunState
) -> None:
    old = finished(ctx, store, cluster, RunState.INTERRUPTED)
    new = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    with pytest.raises(RunActive) as caught:
        store.runs.transition(ctx, old.id, wanted)
    assert caught.value.run_id == new.id
    assert store.runs.get(ctx, old.id) == old


def test_an_id_is_never_used_twice(
    ctx: Context, store: Store, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_new_id", lambda _now: "the-one")
    finished(ctx, store, cluster)
    with pytest.raises(StoreFailed, match=r"refused a row: UNIQUE constraint failed: runs\.id"):
        store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)


def test_a_run_needs_its_cluster(ctx: Context, store: Store) -> None:
    with pytest.raises(NotFound, match="no cluster has the id nobody"):
        store.runs.create(ctx, "nobody", "deploy", NO_PARENT)


def test_times_error_and_result_follow_the_moves(
    ctx: Context, store: Store, cluster: Cluster, clock: Clock
) -> None:
    run = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    failure = Failure("unreachable", "n1 does not answer", "look at it", ("ssh: timeout",), retriable=True)
    clock(10.0)
    started = store.runs.transition(ctx, run.id, RunState.RUNNING)
    assert started == replace(run, state=RunState.RUNNING, started_at=10.0)
    clock(20.0)
    partial = store.runs.transition(
        ctx, run.id, RunState.PARTIAL, error=failure, result={"failed_hosts": ["n1"]}
    )
    assert partial == replace(
        started,
        state=RunState.PARTIAL,
        finished_at=20.0,
        error=failure,
        result={"failed_hosts": ["n1"]},
    )
    clock(30.0)
    queued = store.runs.transition(ctx, run.id, RunState.QUEUED)
    assert queued == replace(started, state=RunState.QUEUED)
    assert store.runs.transition(ctx, run.id, RunState.RUNNING) == started
    clock(40.0)
    done = store.runs.transition(ctx, run.id, RunState.DONE, result={"changed": 0})
    assert (done.finished_at, done.error, done.result) == (40.0, None, {"changed": 0})
    assert store.runs.get(ctx, run.id) == done


@pytest.mark.parametrize("wanted", sorted(set(RunState) - RUN_TRANSITIONS[RunState.QUEUED]))
def test_the_gate_refuses_what_the_table_does_not_allow(
    ctx: Context, store: Store, cluster: Cluster, wanted: RunState
) -> None:
    run = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    with pytest.raises(IllegalTransition):
        store.runs.transition(ctx, run.id, wanted, error=Failure("x", "y"))
    assert store.runs.get(ctx, run.id) == run


@pytest.mark.parametrize(
    "state", [RunState.INTERRUPTED, RunState.CANCELLED, RunState.FAILED, RunState.PARTIAL]
)
def test_no_step_runs_in_a_run_that_stopped(
    ctx: Context, store: Store, run: Run, make_event: Callable[..., Event], clock: Clock, state: RunState
) -> None:
    store.runs.set_plan(ctx, run.id, {}, [PlannedStep("host", name, "d") for name in ("n1", "n2", "n3")])
    events = [
        make_event(1, "step.started"),
        make_event(2, "step.started", host="n2"),
        make_event(3, "step.done", host="n2"),
    ]
    store.ingest(ctx, run.id, events, 30)
    clock(5000.0)
    store.runs.transition(ctx, run.id, state)
    steps = {step.host: (step.state, step.finished_at) for step in store.steps.list(ctx, run.id)}
    assert steps == {
        "n1": (StepState.INTERRUPTED, 5000.0),
        "n2": (StepState.DONE, 1003.0),
        "n3": (StepState.PENDING, None),
    }


def test_cancelling_leaves_running_steps_alone(
    ctx: Context, store: Store, run: Run, make_event: Callable[..., Event]
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started")], 10)
    store.runs.transition(ctx, run.id, RunState.CANCELLING)
    assert [step.state for step in store.steps.list(ctx, run.id)] == [StepState.RUNNING]


def test_the_plan_is_kept_as_it_is(ctx: Context, store: Store, run: Run) -> None:
    assert store.runs.plan(ctx, run.id) is None
    plan = {"steps": [{"stage": "host", "reason": "sysctl \N{RIGHTWARDS ARROW} 1"}], "segments": []}
    store.runs.set_plan(ctx, run.id, plan, [])
    assert store.runs.plan(ctx, run.id) == plan


def test_plan_and_steps_are_stored_both_or_neither(ctx: Context, store: Store, run: Run) -> None:
    twice = [PlannedStep("host", "n1", "d"), PlannedStep("host", "n1", "d")]
    with pytest.raises(StoreFailed, match="refused a row"):
        store.runs.set_plan(ctx, run.id, {"new": True}, twice)
    assert store.runs.plan(ctx, run.id) is None
    assert store.steps.list(ctx, run.id) == ()


def test_unknown_runs_are_not_found(ctx: Context, store: Store) -> None:
    for call in (
        lambda: store.runs.get(ctx, "r9"),
        lambda: store.runs.plan(ctx, "r9"),
        lambda: store.runs.set_plan(ctx, "r9", {}, []),
        lambda: store.runs.transition(ctx, "r9", RunState.RUNNING),
        lambda: store.runs.list(ctx, cursor="r9"),
        lambda: store.ingest(ctx, "r9", [], 1),
    ):
        with pytest.raises(NotFound, match="no run has the id r9"):
            call()


def test_pages_go_from_new_to_old_without_gap_or_repeat(
    ctx: Context, store: Store, cluster: Cluster, clock: Clock
) -> None:
    made = []
    for number in range(7):
        clock(100.0 + number // 3)  # several in the same instant
        made.append(finished(ctx, store, cluster))
    expected = [run.id for run in sorted(made, key=lambda run: (run.created_at, run.id), reverse=True)]
    seen: list[str] = []
    sizes: list[int] = []
    cursor = None
    while True:
        page = store.runs.list(ctx, limit=3, cursor=cursor)
        seen += [run.id for run in page.items]
        sizes.append(len(page.items))
        if page.cursor is None:
            break
        cursor = page.cursor
        clock(999.0)
        finished(ctx, store, cluster)  # newer runs do not disturb who reads on
    assert seen == expected
    assert sizes == [3, 3, 1]


def test_a_last_page_that_is_full_has_no_cursor(ctx: Context, store: Store, cluster: Cluster) -> None:
    finished(ctx, store, cluster)
    finished(ctx, store, cluster)
    assert store.runs.list(ctx, limit=2).cursor is None
    assert store.runs.list(ctx, limit=1).cursor is not None


def test_runs_are_filtered_by_cluster_and_state(ctx: Context, store: Store, cluster: Cluster) -> None:
    other = store.clusters.put(ctx, "test", path="/x", definition_digest="")
    done = finished(ctx, store, cluster, RunState.DONE)
    failed = finished(ctx, store, cluster, RunState.FAILED)
    elsewhere = finished(ctx, store, other, RunState.DONE)
    assert {run.id for run in store.runs.list(ctx, cluster_id=cluster.id).items} == {done.id, failed.id}
    assert {run.id for run in store.runs.list(ctx, states=[RunState.DONE]).items} == {done.id, elsewhere.id}
    both = store.runs.list(ctx, cluster_id=other.id, states=[RunState.FAILED, RunState.DONE])
    assert both.items == (elsewhere,)


def test_old_runs_are_prunable_but_the_newest_and_active_stay(
    ctx: Context, store: Store, cluster: Cluster, clock: Clock
) -> None:
    other = store.clusters.put(ctx, "test", path="/x", definition_digest="")
    made = []
    for now, owner in ((10.0, cluster), (20.0, cluster), (30.0, cluster), (15.0, other)):
        clock(now)
        made.append(finished(ctx, store, owner))
    clock(5.0)
    active = store.runs.create(ctx, cluster.id, "deploy", NO_PARENT)
    assert store.runs.prunable(ctx, keep=1, before=100.0) == (made[0], made[1])
    assert store.runs.prunable(ctx, keep=0, before=20.0) == (made[0], made[3])
    assert active.id not in {run.id for run in store.runs.prunable(ctx, keep=0, before=100.0)}


def test_a_deleted_run_takes_its_steps_and_events_along(
    ctx: Context, store: Store, run: Run, make_event: Callable[..., Event]
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started"), make_event(2, "step.done")], 10)
    with pytest.raises(Refused, match=f"run {run.id} is active and cannot be deleted"):
        store.runs.delete(ctx, run.id)
    store.runs.transition(ctx, run.id, RunState.DONE)
    store.runs.delete(ctx, run.id)
    store.runs.delete(ctx, run.id)
    assert store.runs.list(ctx).items == ()
    assert store.steps.list(ctx, run.id) == ()
    assert store.events.list(ctx, run.id) == ()
