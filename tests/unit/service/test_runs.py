# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs from the first word of their supervisor to the last, and without one."""

from dataclasses import replace

import pytest

from kubexms.context import Context
from kubexms.errors import CommandFailed, IdentityMismatch, RunActive
from kubexms.plan.states import RunState, StepState
from kubexms.runner.events import Draft, Kind
from kubexms.service import runs
from kubexms.service.model import Options
from kubexms.service.starting import starting
from kubexms.settings import Settings
from kubexms.store.store import Store
from tests.unit.service.conftest import FakeSupervisor, planned

FINISHED = Draft(Kind.RUN_FINISHED, data={"state": "done", "failed_hosts": [], "blocked_hosts": []})


def step_events(stage: str, host: str) -> tuple[Draft, Draft]:
    return (
        Draft(Kind.STEP_STARTED, stage, host, attempt=1),
        Draft(Kind.STEP_DONE, stage, host, attempt=1, data={"changed": True, "seconds": 1.0}),
    )


def test_a_plan_without_steps_is_a_run_that_is_done(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store), settings, store)
    assert run.state is RunState.DONE
    assert run.result is not None
    assert run.result["changed"] == 0
    assert supervisor.jobs == []


def test_a_run_is_followed_to_its_end(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1"), ("files", "w-1")), settings, store)
    drafts = [*step_events("files", "cp-1"), *step_events("files", "w-1"), FINISHED]
    supervisor.write(run.directory, *drafts)
    events = list(runs.follow(ctx, run.id, store))
    assert [event.seq for event in events] == list(range(1, 7))
    ended = store.runs.get(ctx, run.id)
    assert ended.state is RunState.DONE
    assert ended.result is not None
    assert ended.result["changed"] == 2
    assert {step.state for step in store.steps.list(ctx, run.id)} == {StepState.DONE}


def test_the_job_carries_limits_and_files(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    plan = planned(store, ("join", "w-1"), options=Options(timeout=77))
    runs.start(ctx, plan, settings, store)
    (job,) = supervisor.jobs
    assert job.timeout_seconds == 77
    assert job.files == {"aa": "/cache/aa"}
    assert job.forks == 2
    assert job.segments[0].stages == (("join", ("w-1",)),)
    assert job.segments[0].delegates == ("cp-1",)
    assert job.stage_timeouts["join"] > 0


def test_a_silent_host_makes_a_good_run_partial(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1"), silent=["w-1"]), settings, store)
    supervisor.write(run.directory, FINISHED)
    ended = runs.refresh(ctx, run.id, store)
    assert ended.state is RunState.PARTIAL
    assert ended.result is not None
    assert ended.result["unreachable_hosts"] == ["w-1"]


@pytest.mark.parametrize(
    ("word", "state", "code"),
    [
        ("partial", RunState.PARTIAL, None),
        ("failed", RunState.FAILED, None),
        ("timeout", RunState.FAILED, "deadline-exceeded"),
        ("cancelled", RunState.CANCELLED, None),
    ],
)
def test_the_last_word_decides(  # noqa: PLR0917
    ctx: Context,
    store: Store,
    settings: Settings,
    supervisor: FakeSupervisor,
    word: str,
    state: RunState,
    code: str | None,
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    supervisor.write(run.directory, Draft(Kind.RUN_FINISHED, data={"state": word}))
    ended = runs.refresh(ctx, run.id, store)
    assert ended.state is state
    assert (ended.error.code if ended.error else None) == code


def test_a_dead_supervisor_leaves_an_interrupted_run(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    supervisor.write(run.directory, step_events("files", "cp-1")[0])
    supervisor.alive = False
    runs.refresh_all(ctx, store)
    ended = store.runs.get(ctx, run.id)
    assert ended.state is RunState.INTERRUPTED
    assert supervisor.reaped == [run.directory]
    assert store.steps.list(ctx, run.id)[0].state is StepState.INTERRUPTED


def test_a_last_word_read_before_a_crash_still_counts(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    supervisor.write(run.directory, FINISHED)
    supervisor.alive = False
    events, offset = runs.runner.read_events(run.directory)
    store.ingest(ctx, run.id, events, offset)
    assert runs.refresh(ctx, run.id, store).state is RunState.DONE


def test_a_resumed_run_goes_on_and_skips_what_is_so_already(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1"), ("files", "w-1")), settings, store)
    supervisor.write(run.directory, *step_events("files", "cp-1"), step_events("files", "w-1")[0])
    supervisor.alive = False
    runs.refresh(ctx, run.id, store)
    supervisor.alive = True
    again = runs.start(ctx, planned(store, ("join", "w-1"), run_id=run.id), settings, store)
    assert again.id == run.id
    supervisor.write(run.directory, *step_events("join", "w-1"), FINISHED)
    assert runs.refresh(ctx, run.id, store).state is RunState.DONE
    states = {(step.stage, step.host): step.state for step in store.steps.list(ctx, run.id)}
    assert states == {
        ("files", "cp-1"): StepState.DONE,
        ("files", "w-1"): StepState.SKIPPED,
        ("join", "w-1"): StepState.DONE,
    }


def test_a_second_run_is_refused_and_names_the_first(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    with pytest.raises(RunActive) as caught:
        runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    assert caught.value.run_id == run.id


def test_cancel_leaves_a_defined_state(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    run = runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    assert runs.cancel(ctx, run.id, store).state is RunState.CANCELLED
    assert supervisor.cancelled == [run.directory]
    assert runs.cancel(ctx, run.id, store).state is RunState.CANCELLED
    assert len(supervisor.cancelled) == 1


def test_a_supervisor_that_does_not_start_fails_the_run(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    supervisor.fails = CommandFailed(["python"], 1, ["no"])
    with pytest.raises(CommandFailed):
        runs.start(ctx, planned(store, ("files", "cp-1")), settings, store)
    (run,) = store.runs.list(ctx).items
    assert run.state is RunState.FAILED


def test_another_machine_is_refused_unless_accepted(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    runs.start(ctx, planned(store), settings, store)
    other = replace(planned(store), machine_ids={"cp-1": "m2"})
    with pytest.raises(IdentityMismatch):
        runs.start(ctx, other, settings, store)
    accepted = replace(other, options=Options(accepted_hosts=frozenset({"cp-1"})))
    assert runs.start(ctx, accepted, settings, store).state is RunState.DONE


def test_a_run_whose_starter_died_is_found_and_can_be_resumed(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    record = store.clusters.put(ctx, "demo", path="/demo.yaml", definition_digest="d")
    run = store.runs.create(ctx, record.id, "deploy", settings.state_dir / "runs")
    supervisor.alive = False
    with starting(settings.state_dir):
        assert runs.refresh(ctx, run.id, store).state is RunState.QUEUED
    assert runs.refresh(ctx, run.id, store).state is RunState.INTERRUPTED


def test_a_run_whose_starter_died_after_the_supervisor_was_up_goes_on(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    record = store.clusters.put(ctx, "demo", path="/demo.yaml", definition_digest="d")
    run = store.runs.create(ctx, record.id, "deploy", settings.state_dir / "runs")
    assert runs.refresh(ctx, run.id, store).state is RunState.RUNNING


def test_a_queued_run_is_cancelled_at_once(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    record = store.clusters.put(ctx, "demo", path="/demo.yaml", definition_digest="d")
    run = store.runs.create(ctx, record.id, "deploy", settings.state_dir / "runs")
    with starting(settings.state_dir):
        assert runs.cancel(ctx, run.id, store).state is RunState.CANCELLED
    assert supervisor.cancelled == []


def test_a_host_that_was_reset_may_come_back_as_another_machine(
    ctx: Context, store: Store, settings: Settings, supervisor: FakeSupervisor
) -> None:
    runs.start(ctx, planned(store), settings, store)
    run = runs.start(ctx, replace(planned(store, ("reset", "cp-1")), verb="reset"), settings, store)
    supervisor.write(run.directory, *step_events("reset", "cp-1"), FINISHED)
    runs.refresh(ctx, run.id, store)
    assert store.hosts.list(ctx, run.cluster_id) == ()
