# SPDX-License-Identifier: GPL-3.0-or-later
"""States of runs and steps and the moves between them: two tables, the only ones there are.

Pure. The store applies them in the transaction that changes a row, so that nothing passes by.
"""

from collections.abc import Mapping
from enum import StrEnum

from kubexms.errors import IllegalTransition


class RunState(StrEnum):
    """Where a run is. The values are stored and shown to users: never rename one."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    INTERRUPTED = "interrupted"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where one stage on one host is. The values are stored and shown to users: never rename one."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    INTERRUPTED = "interrupted"


_ENDS = frozenset({RunState.DONE, RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED})
# Whatever did not reach the cluster can go on: at once, or like a new run when its turn comes.
_RESUMED = frozenset({RunState.QUEUED, RunState.RUNNING})

RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    # It may fail or lose its controller before the supervisor starts.
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.INTERRUPTED, RunState.FAILED, RunState.CANCELLED}),
    # Straight to cancelled: the supervisor was told by a signal, not through the store.
    RunState.RUNNING: _ENDS | {RunState.CANCELLING, RunState.INTERRUPTED},
    # The run may end by itself, or its supervisor die, before the request reaches it.
    RunState.CANCELLING: _ENDS | {RunState.INTERRUPTED},
    # An interrupted run can also be given up.
    RunState.INTERRUPTED: _RESUMED | {RunState.CANCELLED},
    RunState.PARTIAL: _RESUMED,
    RunState.FAILED: _RESUMED,
    RunState.CANCELLED: _RESUMED,
    RunState.DONE: frozenset(),
}
"""From each run state, the states it may move to."""

ACTIVE_RUN_STATES = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING})
"""A cluster has at most one run in these states; the database keeps it so."""

# Tried again, or found by a resumed run to need nothing any more.
_TRY_AGAIN = frozenset({StepState.PENDING, StepState.RUNNING, StepState.SKIPPED})

STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    # Some ends come without a start: the host could not be reached, the stage had nothing to tell.
    StepState.PENDING: frozenset(StepState) - {StepState.PENDING},
    StepState.RUNNING: frozenset(StepState) - {StepState.RUNNING},
    StepState.FAILED: _TRY_AGAIN,
    StepState.SKIPPED: _TRY_AGAIN - {StepState.SKIPPED},
    StepState.BLOCKED: _TRY_AGAIN,
    # Its real end may be read from the spool after the run was found without a supervisor.
    StepState.INTERRUPTED: _TRY_AGAIN | {StepState.DONE, StepState.FAILED},
    # Only a new plan that wants the step again (its input changed) reopens it, never an event.
    StepState.DONE: frozenset({StepState.PENDING}),
}
"""From each step state, the states it may move to. Staying is no move and always allowed."""


def check_run_transition(run_id: str, current: RunState, wanted: RunState) -> None:
    """Raise IllegalTransition unless the run may move from ``current`` to ``wanted``."""
    if wanted not in RUN_TRANSITIONS[current]:
        allowed = ", ".join(sorted(RUN_TRANSITIONS[current])) or "none, it is final"
        raise IllegalTransition(f"run {run_id} is {current} and cannot become {wanted}; allowed: {allowed}")


def step_may_move(current: StepState, wanted: StepState) -> bool:
    """Tell whether a step may go from ``current`` to ``wanted``, or stay where it is."""
    return wanted == current or wanted in STEP_TRANSITIONS[current]
