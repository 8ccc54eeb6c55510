# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps: opened by a plan, moved by events, left in a defined state when their run stops."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from kubexms.context import Context
from kubexms.errors import IllegalTransition, NotFound
from kubexms.plan.states import StepState, step_may_move
from kubexms.store.database import Database
from kubexms.store.records import PlannedStep, Step
from kubexms.store.rows import failure_document, failure_from
from kubexms.store.tables import steps

Key = tuple[str, str]
"""Stage and host: a step within its run."""

_KEY = ("run_id", "stage", "host")
_VALUES = tuple(column.name for column in steps.c if column.name not in _KEY)


class Steps:
    """The steps of a store's runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        ctx: Context,
        run_id: str,
        *,
        states: Collection[StepState] = (),
        stages: Collection[str] = (),
        hosts: Collection[str] = (),
    ) -> tuple[Step, ...]:
        """Return the run's steps, by name of stage and host, of those chosen where any are given."""
        query = select(steps).where(steps.c.run_id == run_id).order_by(steps.c.stage, steps.c.host)
        for column, chosen in ((steps.c.state, states), (steps.c.stage, stages), (steps.c.host, hosts)):
            if chosen:
                query = query.where(column.in_(chosen))
        with self._database.read(ctx) as connection:
            return tuple(_step(row) for row in connection.execute(query).mappings())

    def skip(self, ctx: Context, run_id: str, keys: Collection[Key], reason: str) -> None:
        """Close steps (stage, host) that a resumed run's new plan does not need any more.

        Raises NotFound for a step that the run does not have, IllegalTransition for a done one.
        """
        with self._database.write(ctx) as connection:
            known = read_steps(connection, run_id, keys)
            absent = [f"{stage} on {host}" for stage, host in keys if (stage, host) not in known]
            if absent:
                raise NotFound(f"run {run_id} has no step {', '.join(absent)}")
            chosen = [known[key] for key in keys]
            for step in chosen:
                _check(step, StepState.SKIPPED)
            skipped = (replace(step, state=StepState.SKIPPED, reason=reason, error=None) for step in chosen)
            write_steps(connection, known, skipped)


def read_steps(connection: Connection, run_id: str, keys: Collection[Key]) -> dict[Key, Step]:
    """Return those of the run's steps that are named, and maybe more on the same stages and hosts."""
    stages, hosts = {stage for stage, _ in keys}, {host for _, host in keys}
    chosen = steps.c.run_id == run_id, steps.c.stage.in_(stages), steps.c.host.in_(hosts)
    rows = connection.execute(select(steps).where(*chosen)).mappings()
    return {(step.stage, step.host): step for step in map(_step, rows)}


def write_steps(connection: Connection, known: Collection[Key], changed: Iterable[Step]) -> None:
    """Store the steps: those whose key is known are updated, the others inserted."""
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for step in changed:
        values = {name: getattr(step, name) for name in (*_KEY, *_VALUES)}
        values["error"] = failure_document(step.error)
        if (step.stage, step.host) in known:
            old.append({f"row_{name}" if name in _KEY else name: value for name, value in values.items()})
        else:
            new.append(values)
    if new:
        connection.execute(insert(steps), new)
    if old:
        row = update(steps).where(*(steps.c[name] == bindparam(f"row_{name}") for name in _KEY))
        connection.execute(row.values({name: bindparam(name) for name in _VALUES}), old)


def open_planned(connection: Connection, run_id: str, planned: Sequence[PlannedStep]) -> None:
    """Make every planned step pending, be it new or one of an earlier attempt, whose count it keeps."""
    known = read_steps(connection, run_id, [(step.stage, step.host) for step in planned])
    opened = []
    for plan in planned:
        step = known.get((plan.stage, plan.host)) or Step(run_id, plan.stage, plan.host, StepState.PENDING)
        _check(step, StepState.PENDING)
        opened.append(_opened(step, plan))
    write_steps(connection, known, opened)


def _opened(step: Step, plan: PlannedStep) -> Step:
    """Return the step as the plan wants it, with nothing left of an earlier attempt but its count."""
    pending = Step(step.run_id, step.stage, step.host, StepState.PENDING, attempt=step.attempt)
    return replace(pending, digest=plan.digest, reason=plan.reason)


def _check(step: Step, wanted: StepState) -> None:
    """Raise IllegalTransition unless the step may move."""
    if not step_may_move(step.state, wanted):
        raise IllegalTransition(
            f"{step.stage} on {step.host} of run {step.run_id} is {step.state} and cannot become {wanted}"
        )


def interrupt_running(connection: Connection, run_id: str, now: float) -> None:
    """Mark the steps that nobody runs any more: their run stopped."""
    running = steps.c.run_id == run_id, steps.c.state == StepState.RUNNING
    connection.execute(update(steps).where(*running).values(state=StepState.INTERRUPTED, finished_at=now))


def _step(row: RowMapping) -> Step:
    """Return the record of a row."""
    values = dict(row)
    values |= {"state": StepState(values["state"]), "error": failure_from(values["error"])}
    return Step(**values)
