# SPDX-License-Identifier: GPL-3.0-or-later
"""From the spool into the tables: events, the steps they move and the offset, in one transaction.

Whoever is killed in the middle has stored nothing of the batch; whoever reads a batch again finds its
events there already. So an event is stored and moves its step exactly once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from kubexms.plan.states import StepState, step_may_move
from kubexms.store.records import Failure, Ingested, SpoolEvent, Step
from kubexms.store.rows import failure_from
from kubexms.store.runs import existing
from kubexms.store.steps import Key, interrupt_running, read_steps, write_steps
from kubexms.store.tables import events as events_table
from kubexms.store.tables import runs

STEP_EVENTS = {
    "step.started": StepState.RUNNING,
    "step.done": StepState.DONE,
    "step.failed": StepState.FAILED,
    "step.retry": StepState.PENDING,
    "step.blocked": StepState.BLOCKED,
    "step.skipped": StepState.SKIPPED,
    "step.interrupted": StepState.INTERRUPTED,
}
"""The state that an event of each kind brings its step to; other kinds move none."""

RUN_FINISHED = "run.finished"


def ingest(connection: Connection, run_id: str, events: Sequence[SpoolEvent], new_offset: int) -> Ingested:
    """Store a batch read from the run's spool up to ``new_offset``, within a writing transaction."""
    run = existing(connection, run_id, lock=True)
    last = _last_seq(connection, run_id)
    new = _unknown(connection, run_id, events)
    if new:
        connection.execute(insert(events_table), [_row(run_id, event) for event in new])
    unapplied = _move_steps(connection, run_id, new)
    offset = max(run.spool_offset, new_offset)
    if offset != run.spool_offset:
        connection.execute(update(runs).where(runs.c.id == run_id).values(spool_offset=offset))
    return Ingested(
        inserted=len(new),
        repeated=len(events) - len(new),
        missing=_missing(last, [event.seq for event in new]),
        unapplied=tuple(unapplied),
        spool_offset=offset,
    )


def _last_seq(connection: Connection, run_id: str) -> int:
    """Return the highest number stored, 0 before the first."""
    query = select(func.max(events_table.c.seq)).where(events_table.c.run_id == run_id)
    return connection.execute(query).scalar() or 0


def _unknown(connection: Connection, run_id: str, events: Sequence[SpoolEvent]) -> list[SpoolEvent]:
    """Return the events that are not stored yet, each once, by number."""
    batch: dict[int, SpoolEvent] = {}
    for event in events:
        batch.setdefault(event.seq, event)
    if not batch:
        return []
    seq = events_table.c.seq
    query = select(seq).where(events_table.c.run_id == run_id, seq.between(min(batch), max(batch)))
    for stored in connection.execute(query).scalars():
        batch.pop(stored, None)
    return [batch[number] for number in sorted(batch)]


def _missing(last: int, numbers: Sequence[int]) -> int:
    """Return how many numbers were left out after the last one known."""
    above = [number for number in numbers if number > last]
    return above[-1] - last - len(above) if above else 0


def _row(run_id: str, event: SpoolEvent) -> dict[str, Any]:
    """Return the row of an event."""
    return {
        "run_id": run_id,
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "stage": event.stage,
        "host": event.host,
        "task": event.task,
        "attempt": event.attempt,
        "data": event.data,
    }


def _move_steps(connection: Connection, run_id: str, events: Sequence[SpoolEvent]) -> list[int]:
    """Let the events move the run's steps; return the numbers of those that could not."""
    unapplied: list[int] = []
    for life in _lives(events):
        unapplied += _apply(connection, run_id, life)
        if life[-1].kind == RUN_FINISHED:
            interrupt_running(connection, run_id, life[-1].time)
    return unapplied


def _lives(events: Sequence[SpoolEvent]) -> Iterator[Sequence[SpoolEvent]]:
    """Yield the events of one supervisor after the other: a resumed run has several."""
    start = 0
    for end, event in enumerate(events, 1):
        if event.kind == RUN_FINISHED or end == len(events):
            yield events[start:end]
            start = end


def _apply(connection: Connection, run_id: str, events: Sequence[SpoolEvent]) -> list[int]:
    """Move the steps that the events name, in order; return the numbers of events that could not."""
    moving = [event for event in events if event.kind in STEP_EVENTS]
    known = read_steps(connection, run_id, {(event.stage, event.host) for event in moving})
    current: dict[Key, Step] = {}
    unapplied = []
    for event in moving:
        key = event.stage, event.host
        step = current.get(key) or known.get(key) or Step(run_id, *key, StepState.PENDING)
        moved = moved_step(step, event)
        if moved is None:
            unapplied.append(event.seq)
        current[key] = moved or step
    write_steps(connection, known, current.values())
    return unapplied


def moved_step(step: Step, event: SpoolEvent) -> Step | None:
    """Return the step after the event, None where the event contradicts the step's state. Pure."""
    state = STEP_EVENTS[event.kind]
    reopened = step.state is StepState.DONE and state is not StepState.DONE
    if reopened or not step_may_move(step.state, state):
        return None
    reason = str(event.data.get("reason", ""))
    match state:
        case StepState.RUNNING:
            return _started(step, event.time)
        case StepState.DONE:
            changed = bool(event.data.get("changed", False))
            return replace(step, state=state, changed=changed, finished_at=event.time, error=None)
        case StepState.SKIPPED:
            return replace(step, state=state, reason=reason or step.reason, finished_at=event.time)
        case StepState.BLOCKED | StepState.INTERRUPTED:
            error = Failure(code=state.value, message=reason)
            return replace(step, state=state, finished_at=event.time, error=error)
        case _:
            error_found = failure_from(event.data.get("error")) or step.error
            return replace(step, state=state, finished_at=event.time, error=error_found)


def _started(step: Step, now: float) -> Step:
    """Return the step as running; told twice of one start it counts one."""
    attempt = step.attempt + (step.state is not StepState.RUNNING)
    return replace(step, state=StepState.RUNNING, attempt=attempt, started_at=now, finished_at=None)
