# SPDX-License-Identifier: GPL-3.0-or-later
"""The supervisor: one thread owns the state of the run and the spool, fed through one queue.

Each call of ansible-playbook runs in a thread of its own and only puts reports into the queue.
Before a play goes on, and before the playbook ends, the owner has put everything before it on disk.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kubexms.runner import schedule
from kubexms.runner.events import STEP_ENDS, Draft, Kind
from kubexms.runner.job import Job
from kubexms.runner.messages import BARRIERS, Message
from kubexms.runner.playbook import Call
from kubexms.runner.spool import Spool
from kubexms.runner.state import Outcome, RunState

LINGER_SECONDS = 5.0
STOP_SECONDS = 0.5


@dataclass(frozen=True)
class Reported:
    """A message of a call. ``proceed`` lets a waiting playbook go on."""

    call: int
    message: Message
    proceed: Callable[[], None]


@dataclass(frozen=True)
class Ended:
    """A call has ended, all its messages before this."""

    call: int
    outcome: Outcome


@dataclass(frozen=True)
class Stop:
    """Somebody wants the run to stop."""

    reason: Literal["cancelled", "timeout"] = "cancelled"


Item = Reported | Ended | Stop


class Player(Protocol):
    """Runs playbooks; the real one is ansible_runner's (kubexms.runner.call)."""

    def play(self, call: Call, put: Callable[[Item], None]) -> None:
        """Run one call to its end: put its messages, then Ended. Never raises."""

    def stop(self, call: int) -> None:
        """End all processes of one call."""

    def stop_all(self) -> None:
        """End all processes of the run but the caller."""


class Supervisor:
    """Drives one job to its end. ``variables`` are given to every playbook."""

    def __init__(self, job: Job, spool: Spool, player: Player, variables: Mapping[str, Any]) -> None:
        self._job = job
        self._state = RunState(job)
        self._spool = spool
        self._player = player
        self._variables = variables
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._deadline = time.monotonic() + job.timeout_seconds if job.timeout_seconds else None
        self._retry_due: float | None = None
        self._unsafe = False

    def put(self, item: Item) -> None:
        """Hand an item to the owner; safe in signal handlers and other threads."""
        self._queue.put(item)

    def run(self) -> str:
        """Run the job and return its final state. The last event is run.finished."""
        segments = [
            {"id": segment.id, "stages": segment.stages, "after": segment.after, "needs": segment.needs}
            for segment in self._job.segments
        ]
        data = {"verb": self._job.verb, "segments": segments, "resumed": self._spool.resumed}
        self._emit([Draft(Kind.RUN_STARTED, data=data)])
        self._advance()
        while len(self._state.over) < len(self._job.segments) and not self._state.stopping:
            self._take(self._next())
            self._enforce(time.monotonic())
            self._advance()
        if self._state.stopping:
            self._stop()
        else:
            self._drain(LINGER_SECONDS)
        return self._finish()

    def _emit(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self._spool.append(draft)
            self._unsafe = self._unsafe or draft.kind in STEP_ENDS

    def _sync(self) -> None:
        """Put everything so far on the disk."""
        self._spool.sync()
        self._unsafe = False

    def _next(self) -> Item | None:
        """Return the next item, or None when a deadline or a retry is due before one comes."""
        if self._unsafe and self._queue.empty():
            self._sync()
        due = [*self._stage_deadlines().values()]
        due += [when for when in (self._deadline, self._retry_due) if when is not None]
        try:
            return self._queue.get(timeout=max(0.0, min(due) - time.monotonic()) if due else None)
        except queue.Empty:
            return None

    def _take(self, item: Item | None) -> None:
        """Move the state by one item."""
        now = time.monotonic()
        match item:
            case Reported(call, message, proceed):
                self._emit(self._state.report(call, message, now))
                if message.kind in BARRIERS:
                    self._sync()
                    proceed()
            case Ended(call, outcome):
                self._emit(self._state.ended(call, outcome, now))
            case Stop(reason):
                self._state.stopping = self._state.stopping or reason

    def _enforce(self, now: float) -> None:
        """Stop what has run out of time, and wake the scheduler for retries that are due."""
        if self._deadline is not None and now >= self._deadline:
            self._state.stopping = self._state.stopping or "timeout"
        if self._retry_due is not None and now >= self._retry_due:
            self._state.moved = True
        for number, deadline in self._stage_deadlines().items():
            if now >= deadline:
                self._state.running[number].stopped = True
                threading.Thread(target=self._player.stop, args=(number,), daemon=True).start()

    def _stage_deadlines(self) -> dict[int, float]:
        """Return when each call has to be done with the play it is at."""
        limits = self._job.stage_timeouts
        return {
            number: running.since + limits[running.stage]
            for number, running in self._state.running.items()
            if not running.stopped and limits.get(running.stage)
        }

    def _advance(self) -> None:
        """Do whatever can be done now, until nothing more can."""
        if not self._state.moved or self._state.stopping:
            return
        while decisions := schedule.decide(self._state, time.monotonic()):
            for decision in decisions:
                self._do(decision)
        self._state.moved = False
        self._retry_due = schedule.next_due(self._state)

    def _do(self, decision: schedule.Decision) -> None:
        match decision:
            case schedule.Launch(segment, hosts, delegate):
                self._launch(segment, hosts, delegate)
            case schedule.Block(segment, hosts, reason):
                self._emit(self._state.block(segment, hosts, reason))
            case schedule.Finish(segment, state):
                self._state.over[segment] = state
                self._emit([Draft(Kind.SEGMENT_FINISHED, data={"segment": segment, "state": state})])

    def _launch(self, segment: str, hosts: tuple[str, ...], delegate: str) -> None:
        variables = {**self._job.segment(segment).variables, **self._variables}
        variables["kubexms_failed_hosts"] = sorted(self._state.left)
        if delegate:
            variables["kubexms_delegate"] = delegate
        call, drafts = self._state.launch(segment, hosts, variables, time.monotonic())
        self._emit(drafts)
        threading.Thread(target=self._player.play, args=(call, self.put), daemon=True).start()

    def _stop(self) -> None:
        """End all processes, then take what their calls still say."""
        self._emit([Draft(Kind.RUN_CANCELLING, data={"reason": self._state.stopping})])
        self._player.stop_all()
        self._drain(STOP_SECONDS)
        for number in list(self._state.running):
            self._take(Ended(number, Outcome(-1)))

    def _drain(self, seconds: float) -> None:
        """Wait until every call has ended, for ``seconds`` at most; nothing new is started."""
        deadline = time.monotonic() + seconds
        while self._state.running and (left := deadline - time.monotonic()) > 0:
            try:
                self._take(self._queue.get(timeout=left))
            except queue.Empty:
                return

    def _finish(self) -> str:
        """End what is left of the run, ssh's connection masters above all, and say how it went."""
        self._player.stop_all()
        state = self._state.stopping or schedule.verdict(self._state)
        left = self._state.left
        gone = {why: sorted(host for host in left if left[host] == why) for why in ("failed", "blocked")}
        data = {"state": state, "failed_hosts": gone["failed"], "blocked_hosts": gone["blocked"]}
        self._emit([Draft(Kind.RUN_FINISHED, data=data)])
        self._sync()
        return state
