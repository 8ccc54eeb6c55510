# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: made when their cluster is free, moved through the one gate, removed when they are old."""

import secrets
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from kubexms.context import Context
from kubexms.errors import NotFound, Refused, RunActive
from kubexms.plan.states import ACTIVE_RUN_STATES, RunState, check_run_transition
from kubexms.store.database import Database
from kubexms.store.faults import ConstraintBroken
from kubexms.store.records import Document, Failure, Page, PlannedStep, Run
from kubexms.store.rows import failure_document, failure_from
from kubexms.store.steps import interrupt_running, open_planned
from kubexms.store.tables import clusters, runs

_SUMMARY = tuple(column for column in runs.c if column.name != "plan")


class Runs:
    """The runs of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, ctx: Context, cluster_id: str, verb: str, parent: Path) -> Run:
        """Record a queued run of the cluster; its directory will be ``parent / id`` and is not made here.

        Raises RunActive where the cluster has an active run, NotFound for an unknown cluster.
        """
        now = time.time()
        run_id = _new_id(now)
        run = Run(run_id, cluster_id, verb, RunState.QUEUED, ctx.trace_id, parent / run_id, created_at=now)
        row = {column.name: getattr(run, column.name) for column in _SUMMARY}
        try:
            with self._database.write(ctx) as connection:
                connection.execute(insert(runs).values({**row, "directory": str(run.directory)}))
        except ConstraintBroken as cause:
            raise self._why_not(ctx, cluster_id, cause) from cause
        return run

    def get(self, ctx: Context, run_id: str) -> Run:
        """Return the run or raise NotFound."""
        with self._database.read(ctx) as connection:
            return existing(connection, run_id)

    def active(self, ctx: Context, cluster_id: str) -> Run | None:
        """Return the cluster's active run, if it has one."""
        query = select(*_SUMMARY).where(runs.c.cluster_id == cluster_id, runs.c.state.in_(ACTIVE_RUN_STATES))
        with self._database.read(ctx) as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else _run(row)

    def list(
        self,
        ctx: Context,
        *,
        cluster_id: str = "",
        states: Collection[RunState] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Run]:
        """Return a page of runs, newest first, of one cluster and in some states where these are given."""
        with self._database.read(ctx) as connection:
            query = select(*_SUMMARY).order_by(runs.c.created_at.desc(), runs.c.id.desc())
            query = query.where(*_filters(cluster_id, states))
            if cursor is not None:
                query = _after(query, existing(connection, cursor))
            rows = connection.execute(query.limit(limit + 1)).mappings().all()
        items = tuple(_run(row) for row in rows[:limit])
        return Page(items, cursor=items[-1].id if len(rows) > limit else None)

    def transition(
        self,
        ctx: Context,
        run_id: str,
        to_state: RunState,
        *,
        error: Failure | None = None,
        result: Document | None = None,
    ) -> Run:
        """Move the run: the only way to change its state. Returns the run as it is afterwards.

        Sets started_at at the first start and finished_at where the new state is not active; a resume
        clears finished_at, error and result. Steps still running in a run that stops become
        interrupted. Raises IllegalTransition for a move that plan/states.py does not allow, and
        RunActive where a resumed run's cluster has another active run.
        """
        now = time.time()
        try:
            with self._database.write(ctx) as connection:
                run = existing(connection, run_id, lock=True)
                check_run_transition(run_id, run.state, to_state)
                values = _moved(run, to_state, now)
                if error is not None:
                    values["error"] = failure_document(error)
                if result is not None:
                    values["result"] = dict(result)
                connection.execute(update(runs).where(runs.c.id == run_id).values(values))
                if to_state not in ACTIVE_RUN_STATES:
                    interrupt_running(connection, run_id, now)
                return existing(connection, run_id)
        except ConstraintBroken as cause:
            raise self._why_not(ctx, self.get(ctx, run_id).cluster_id, cause) from cause

    def set_plan(self, ctx: Context, run_id: str, plan: Document, steps: Sequence[PlannedStep]) -> None:
        """Store the run's plan and open its steps as pending, both or neither.

        Steps that the run already has and the plan does not name stay as they are; attempts count on.
        """
        with self._database.write(ctx) as connection:
            existing(connection, run_id, lock=True)
            connection.execute(update(runs).where(runs.c.id == run_id).values(plan=dict(plan)))
            open_planned(connection, run_id, steps)

    def plan(self, ctx: Context, run_id: str) -> Document | None:
        """Return the plan stored last, None before there is one."""
        with self._database.read(ctx) as connection:
            row = connection.execute(select(runs.c.plan).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise _unknown(run_id)
        plan: Document | None = row.plan
        return plan

    def prunable(self, ctx: Context, *, keep: int, before: float) -> tuple[Run, ...]:
        """Return the runs that may go, oldest first. Remove their directories, then delete them.

        They are not active, made before ``before`` and not among the newest ``keep`` of their cluster.
        """
        age = func.row_number().over(
            partition_by=runs.c.cluster_id, order_by=(runs.c.created_at.desc(), runs.c.id.desc())
        )
        aged = select(*_SUMMARY, age.label("age")).subquery()
        query = select(*(aged.c[column.name] for column in _SUMMARY)).where(
            aged.c.age > keep, aged.c.created_at < before, aged.c.state.not_in(ACTIVE_RUN_STATES)
        )
        with self._database.read(ctx) as connection:
            rows = connection.execute(query.order_by(aged.c.created_at, aged.c.id)).mappings()
            return tuple(_run(row) for row in rows)

    def delete(self, ctx: Context, run_id: str) -> None:
        """Delete the run with its steps and events. An active run is refused, an absent one is no error."""
        idle = runs.c.state.not_in(ACTIVE_RUN_STATES)
        with self._database.write(ctx) as connection:
            deleted = connection.execute(delete(runs).where(runs.c.id == run_id, idle)).rowcount
            if not deleted and _find(connection, run_id) is not None:
                raise Refused(f"run {run_id} is active and cannot be deleted", hint="cancel it first")

    def _why_not(self, ctx: Context, cluster_id: str, cause: ConstraintBroken) -> Exception:
        """Return what a refused row of runs means."""
        active = self.active(ctx, cluster_id)
        if active is not None:
            return RunActive(
                f"run {active.id} ({active.verb}) of this cluster is {active.state}",
                run_id=active.id,
                hint="wait for it, or cancel it",
            )
        with self._database.read(ctx) as connection:
            if connection.execute(select(clusters.c.id).where(clusters.c.id == cluster_id)).first() is None:
                return NotFound(f"no cluster has the id {cluster_id}")
        return cause


def existing(connection: Connection, run_id: str, *, lock: bool = False) -> Run:
    """Return the run or raise NotFound; with ``lock`` nobody else changes it in this transaction."""
    run = _find(connection, run_id, lock=lock)
    if run is None:
        raise _unknown(run_id)
    return run


def _find(connection: Connection, run_id: str, *, lock: bool = False) -> Run | None:
    """Return the run, if there is one."""
    query = select(*_SUMMARY).where(runs.c.id == run_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _run(row)


def _unknown(run_id: str) -> NotFound:
    """Return the error for an id that names no run."""
    return NotFound(f"no run has the id {run_id}", hint="see kubexms runs list")


def _new_id(now: float) -> str:
    """Return a new id that a person can read and a directory can be called: 20260131-235959-0a1b2c3d."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(4)}"


def _filters(cluster_id: str, states: Collection[RunState]) -> list[ColumnElement[bool]]:
    """Return the conditions that were asked for."""
    conditions: list[ColumnElement[bool]] = []
    if cluster_id:
        conditions.append(runs.c.cluster_id == cluster_id)
    if states:
        conditions.append(runs.c.state.in_(states))
    return conditions


def _after(query: Select[Any], last: Run) -> Select[Any]:
    """Return the query for what comes after ``last``, newest first."""
    return query.where(tuple_(runs.c.created_at, runs.c.id) < tuple_(last.created_at, last.id))


def _moved(run: Run, to_state: RunState, now: float) -> dict[str, Any]:
    """Return the columns that the move itself changes."""
    if to_state not in ACTIVE_RUN_STATES:
        return {"state": to_state, "finished_at": now}
    started = run.started_at or (now if to_state is RunState.RUNNING else None)
    return {"state": to_state, "started_at": started, "finished_at": None, "error": None, "result": None}


def _run(row: RowMapping) -> Run:
    """Return the record of a row."""
    values = dict(row)
    values |= {
        "state": RunState(values["state"]),
        "directory": Path(values["directory"]),
        "error": failure_from(values["error"]),
    }
    return Run(**values)
