# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's way through one segment: a small state machine that says what happened. Pure."""

from dataclasses import dataclass, field
from typing import Any, Literal

from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Retry

TrackState = Literal["waiting", "running", "retry", "done", "failed", "blocked", "interrupted"]
SETTLED: frozenset[str] = frozenset({"done", "failed", "blocked", "interrupted"})


@dataclass
class Track:
    """The stages that a host has to pass in a segment; ``position`` of them are done.

    Each method moves the track and returns the events of the move. ``call`` is the playbook call
    that the host takes part in while running, ``due`` the time from which a retry may begin.
    """

    host: str
    stages: tuple[str, ...]
    position: int = 0
    state: TrackState = "waiting"
    attempt: int = 1
    call: int = 0
    due: float = 0.0
    begun: float | None = None
    changed: bool = False
    differences: list[dict[str, str]] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """The stage that is to be done next, or "" when all are."""
        return self.stages[self.position] if self.position < len(self.stages) else ""

    @property
    def left(self) -> tuple[str, ...]:
        """The stages that are not done."""
        return self.stages[self.position :]

    def launch(self, call: int) -> None:
        """Take part in a playbook call."""
        self.state, self.call = "running", call

    def begin(self, now: float) -> list[Draft]:
        """Start on the current stage; told twice it counts once."""
        if self.begun is not None:
            return []
        self.begun = now
        return [Draft(Kind.STEP_STARTED, self.stage, self.host, attempt=self.attempt)]

    def note(self, *, changed: bool, differences: list[dict[str, str]]) -> None:
        """Add what a task of the current stage changed."""
        self.changed = self.changed or changed
        self.differences = self.differences + differences

    def succeed(self, now: float) -> list[Draft]:
        """Be done with the current stage."""
        seconds = round(now - (now if self.begun is None else self.begun), 3)
        data = {"changed": self.changed, "differences": self.differences, "seconds": seconds}
        draft = Draft(Kind.STEP_DONE, self.stage, self.host, attempt=self.attempt, data=data)
        self._rewind()
        self.position, self.attempt = self.position + 1, 1
        if not self.stage:
            self.state = "done"
        return [draft]

    def fail(self, error: dict[str, Any], retry: Retry, now: float, *, task: str = "") -> list[Draft]:
        """End one attempt of the current stage: try again later, or give up."""
        drafts, attempt, stage = [], self.attempt, self.stage
        if error.get("code") == "unreachable":
            drafts.append(Draft(Kind.HOST_UNREACHABLE, stage, self.host, data={"error": error}))
        self._rewind()
        if error.get("retriable") and attempt < retry.attempts:
            delay = retry.delay(attempt)
            self.state, self.due, self.attempt = "retry", now + delay, attempt + 1
            data = {"error": error, "delay_seconds": delay}
            return [*drafts, Draft(Kind.STEP_RETRY, stage, self.host, task, attempt, data)]
        self.state = "failed"
        drafts.append(Draft(Kind.STEP_FAILED, stage, self.host, task, attempt, {"error": error}))
        return drafts + self._blocked(self.left[1:], f"stage {stage} failed on {self.host}")

    def resume(self, now: float) -> list[Draft]:
        """Go on in another call, this attempt not counted: the call ended before the stage began."""
        self.state, self.due = "retry", now
        return []

    def block(self, reason: str) -> list[Draft]:
        """Give up on all that is left without trying."""
        self.state = "blocked"
        return self._blocked(self.left, reason)

    def interrupt(self, reason: str) -> list[Draft]:
        """Be stopped in the middle, or before the current stage began."""
        begun, self.state = self.begun, "interrupted"
        draft = Draft(
            Kind.STEP_INTERRUPTED, self.stage, self.host, attempt=self.attempt, data={"reason": reason}
        )
        return [] if begun is None else [draft]

    def _blocked(self, stages: tuple[str, ...], reason: str) -> list[Draft]:
        return [Draft(Kind.STEP_BLOCKED, stage, self.host, data={"reason": reason}) for stage in stages]

    def _rewind(self) -> None:
        """Forget what the current attempt has done so far."""
        self.begun, self.changed, self.differences = None, False, []
