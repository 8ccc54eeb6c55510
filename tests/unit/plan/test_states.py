# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of states, told once more by hand: a change of one must be meant."""

import pytest

from kubexms.errors import IllegalTransition
from kubexms.plan.states import (
    ACTIVE_RUN_STATES,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    RunState,
    StepState,
    check_run_transition,
    step_may_move,
)

RUN_MOVES = {
    "queued": "running interrupted failed cancelled",
    "running": "cancelling interrupted done partial failed cancelled",
    "cancelling": "interrupted done partial failed cancelled",
    "interrupted": "queued running cancelled",
    "partial": "queued running",
    "failed": "queued running",
    "cancelled": "queued running",
    "done": "",
}
STEP_MOVES = {
    "pending": "running done failed skipped blocked interrupted",
    "running": "pending done failed skipped blocked interrupted",
    "failed": "pending running skipped",
    "skipped": "pending running",
    "blocked": "pending running skipped",
    "interrupted": "pending running skipped done failed",
    "done": "pending",
}


@pytest.mark.parametrize("current", RunState)
@pytest.mark.parametrize("wanted", RunState)
def test_a_run_moves_as_the_table_says(current: RunState, wanted: RunState) -> None:
    if wanted in RUN_MOVES[current].split():
        check_run_transition("r1", current, wanted)
    else:
        with pytest.raises(IllegalTransition, match=f"run r1 is {current} and cannot become {wanted}"):
            check_run_transition("r1", current, wanted)


@pytest.mark.parametrize("current", StepState)
@pytest.mark.parametrize("wanted", StepState)
def test_a_step_moves_as_the_table_says_or_stays(current: StepState, wanted: StepState) -> None:
    expected = wanted == current or wanted in STEP_MOVES[current].split()
    assert step_may_move(current, wanted) is expected


def test_every_state_is_in_its_table() -> None:
    assert RUN_TRANSITIONS.keys() == set(RunState)
    assert STEP_TRANSITIONS.keys() == set(StepState)


def test_every_active_state_can_be_left_without_the_supervisor() -> None:
    assert {"queued", "running", "cancelling"} == ACTIVE_RUN_STATES
    assert all(RunState.INTERRUPTED in RUN_TRANSITIONS[state] for state in ACTIVE_RUN_STATES)


def test_the_refusal_says_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition, match="allowed: none, it is final"):
        check_run_transition("r1", RunState.DONE, RunState.RUNNING)
    with pytest.raises(IllegalTransition, match="allowed: cancelled, queued, running"):
        check_run_transition("r1", RunState.INTERRUPTED, RunState.DONE)
