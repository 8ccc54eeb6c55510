# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: start one from a plan, follow it, cancel it, and find what others left behind.

A run's truth is its spool; the store follows it. Whoever looks first takes the new events over, so
it does not matter whether the process that started a run still lives.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubexms import runner
from kubexms.context import Context
from kubexms.errors import IllegalTransition
from kubexms.observe.logging import logger
from kubexms.plan.stages import RESET
from kubexms.plan.states import ACTIVE_RUN_STATES, RunState, StepState
from kubexms.service.jobs import run_job, write_files
from kubexms.service.model import Planned
from kubexms.service.starting import is_starting, starting
from kubexms.settings import Settings
from kubexms.store.records import Event, Failure, HostIdentity, PlannedStep, Run
from kubexms.store.store import Store

_POLL_SECONDS = 0.1
_OUTCOMES = {
    "done": RunState.DONE,
    "partial": RunState.PARTIAL,
    "failed": RunState.FAILED,
    "timeout": RunState.FAILED,
    "cancelled": RunState.CANCELLED,
}


def start(ctx: Context, planned: Planned, settings: Settings, store: Store) -> Run:
    """Begin a run, or go on with the one named in ``planned``. Returns when its supervisor is up.

    A plan without steps is a run that is done at once. Raises RunActive, IdentityMismatch.
    """
    record = store.clusters.get(ctx, planned.prepared.cluster.metadata.name)
    _record_hosts(ctx, planned, store, record.id)
    with starting(settings.state_dir):
        run = _claim(ctx, planned, settings, store, record.id)
        try:
            return _launch(ctx, run, planned, settings, store)
        except BaseException as cause:
            failure = Failure("internal", f"the run did not start: {cause}")
            store.runs.transition(Context(), run.id, RunState.FAILED, error=failure)
            raise


def _claim(ctx: Context, planned: Planned, settings: Settings, store: Store, cluster_id: str) -> Run:
    """Make the run, or take the interrupted one: from here on the cluster has no other."""
    if planned.run_id:
        return store.runs.transition(ctx, planned.run_id, RunState.QUEUED)
    return store.runs.create(ctx, cluster_id, planned.verb, settings.state_dir / "runs")


def _launch(ctx: Context, run: Run, planned: Planned, settings: Settings, store: Store) -> Run:
    steps = [PlannedStep(step.stage, step.host, step.digest, step.reason) for step in planned.plan.steps]
    store.runs.set_plan(ctx, run.id, planned.plan.as_json(), steps)
    _skip_settled(ctx, run.id, planned, store)
    if planned.plan.is_empty:
        store.runs.transition(ctx, run.id, RunState.RUNNING)
        return _finish(ctx, store, run, {"state": "done"})
    run.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_files(planned.prepared, run.directory)
    runner.start(ctx, run_job(ctx, run, planned, settings), run.directory)
    return store.runs.transition(ctx, run.id, RunState.RUNNING)


def _record_hosts(ctx: Context, planned: Planned, store: Store, cluster_id: str) -> None:
    store.hosts.forget(ctx, cluster_id, planned.options.accepted_hosts)
    addresses = {host.name: host.address for host in planned.prepared.cluster.spec.hosts}
    found = [
        HostIdentity(name, addresses[name], machine_id) for name, machine_id in planned.machine_ids.items()
    ]
    store.hosts.record(ctx, cluster_id, found)


def _skip_settled(ctx: Context, run_id: str, planned: Planned, store: Store) -> None:
    """Close steps of an earlier attempt that the new plan does not name: the hosts are as wanted there."""
    wanted = {(step.stage, step.host) for step in planned.plan.steps}
    silent = {look.host for look in planned.plan.unreachable}
    settled = [
        (step.stage, step.host)
        for step in store.steps.list(ctx, run_id)
        if (step.stage, step.host) not in wanted
        and step.state is not StepState.DONE
        and step.host not in silent
    ]
    if settled:
        store.steps.skip(ctx, run_id, settled, "already so when the run went on")


def follow(ctx: Context, run_id: str, store: Store, after: int = 0) -> Iterator[Event]:
    """Yield the run's events numbered above ``after`` until it is over.

    A cancelled context ends the following, not the run.
    """
    while True:
        run = refresh(ctx, run_id, store)
        while events := store.events.list(ctx, run_id, after=after):
            yield from events
            after = events[-1].seq
        if run.state not in ACTIVE_RUN_STATES:
            return
        ctx.wait(_POLL_SECONDS)


def refresh(ctx: Context, run_id: str, store: Store) -> Run:
    """Take over what the run's spool has new, end the run where it is over, and return it."""
    run = store.runs.get(ctx, run_id)
    if run.state not in ACTIVE_RUN_STATES:
        return run
    alive = runner.is_alive(run.directory)
    if run.state is RunState.QUEUED and is_starting(run.directory.parent.parent):
        return run
    _take_over(ctx, run, store)
    if run.state is RunState.QUEUED and alive:
        return store.runs.transition(ctx, run_id, RunState.RUNNING)
    if alive and not _last_word(ctx, run, store):
        return store.runs.get(ctx, run_id)
    return _settle(ctx, run, store)


def _take_over(ctx: Context, run: Run, store: Store) -> None:
    """Store the new events of a spool; say so where one is missing or contradicts its step."""
    events, offset = runner.read_events(run.directory, run.spool_offset)
    if not events:
        return
    taken = store.ingest(ctx, run.id, events, offset)
    if taken.missing or taken.unapplied:
        logger(ctx).warning(
            "spool of the run has gaps or contradictions",
            run=run.id,
            missing=taken.missing,
            unapplied=list(taken.unapplied),
        )


def _last_word(ctx: Context, run: Run, store: Store) -> Mapping[str, Any] | None:
    """Return what the run's latest supervisor said at its end, or None where it has not."""
    kinds = [runner.Kind.RUN_STARTED, runner.Kind.RUN_FINISHED]
    marks = store.events.list(ctx, run.id, kinds=kinds)
    return marks[-1].data if marks and marks[-1].kind == runner.Kind.RUN_FINISHED else None


def _settle(ctx: Context, run: Run, store: Store) -> Run:
    """End a run whose supervisor is through: by its last word, or as interrupted where there is none."""
    word = _last_word(ctx, run, store)
    try:
        if word is not None:
            return _finish(ctx, store, run, word)
        runner.reap(run.directory)
        failure = Failure(
            "interrupted",
            "the supervisor of the run ended before the run did",
            hint="go on with: kubexms resume",
        )
        return store.runs.transition(ctx, run.id, RunState.INTERRUPTED, error=failure)
    except IllegalTransition:
        return store.runs.get(ctx, run.id)  # somebody else settled it meanwhile


def refresh_all(ctx: Context, store: Store) -> None:
    """Refresh every run that is not over; what a killed process left behind gets its defined state."""
    for run in store.runs.list(ctx, states=ACTIVE_RUN_STATES, limit=1000).items:
        refresh(ctx, run.id, store)


def cancel(ctx: Context, run_id: str, store: Store) -> Run:
    """Stop a run; afterwards no process of it is left and every step has a defined state."""
    run = refresh(ctx, run_id, store)
    if run.state is RunState.QUEUED:
        return store.runs.transition(ctx, run_id, RunState.CANCELLED)
    if run.state not in ACTIVE_RUN_STATES:
        return run
    if run.state is RunState.RUNNING:
        store.runs.transition(ctx, run_id, RunState.CANCELLING)
    runner.cancel(ctx, run.directory)
    return refresh(ctx, run_id, store)


def _finish(ctx: Context, store: Store, run: Run, data: Mapping[str, Any]) -> Run:
    """Give a run the state its supervisor reported, or partial where hosts were silent from the start."""
    plan = store.runs.plan(ctx, run.id) or {}
    silent = [look["host"] for look in plan.get("unreachable", ())]
    state = _OUTCOMES[data["state"]]
    if silent and state is RunState.DONE:
        state = RunState.PARTIAL
    steps = store.steps.list(ctx, run.id)
    if run.verb == RESET.name:
        gone = {step.host for step in steps if step.state is StepState.DONE}
        store.hosts.forget(ctx, run.cluster_id, gone)
    result = {
        "changed": sum(1 for step in steps if step.changed),
        "failed_hosts": sorted({*data.get("failed_hosts", ()), *silent}),
        "blocked_hosts": sorted(data.get("blocked_hosts", ())),
        "unreachable_hosts": sorted(silent),
    }
    return store.runs.transition(ctx, run.id, state, error=_failure(data), result=result)


def _failure(data: Mapping[str, Any]) -> Failure | None:
    if data["state"] == "timeout":
        return Failure("deadline-exceeded", "the run ran out of time", hint="resume it, or allow more time")
    error = data.get("error")
    if not error:
        return None
    return Failure(
        error["code"],
        error["message"],
        error.get("hint", ""),
        tuple(error.get("tail", ())),
        bool(error.get("retriable")),
    )
