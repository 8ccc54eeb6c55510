# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run stands, and how it moves with each report. No I/O; the supervisor is its one owner.

A stage is done for a host when its last task there succeeded. Where the callback plugin can prove
that a task is the play's last (no handlers, no includes, no rescue, not run once for all), that
task's success is the moment; otherwise the start of the next play is, or the end of the playbook.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Job, Retry
from kubexms.runner.messages import Message, failure
from kubexms.runner.playbook import Call

TrackState = Literal["waiting", "running", "retry", "done", "failed", "blocked", "interrupted"]
Reason = Literal["", "cancelled", "timeout"]
SETTLED: frozenset[str] = frozenset({"done", "failed", "blocked", "interrupted"})


@dataclass
class Track:
    """One host's way through one segment. ``position`` counts its done stages."""

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
    def rest(self) -> tuple[str, ...]:
        """The stages that are still to be done, the current one first."""
        return self.stages[self.position :]

    def rewind(self) -> None:
        """Forget what the current attempt of the current stage has done so far."""
        self.begun, self.changed, self.differences = None, False, []


@dataclass
class Running:
    """A call of ansible-playbook that is under way, and the play it is at."""

    call: Call
    stage: str = ""
    since: float = 0.0
    touched: set[str] = field(default_factory=set)
    failed: bool = False
    stopped: Reason = ""


@dataclass(frozen=True)
class Outcome:
    """How a call ended: ansible-playbook's exit status and its last own words."""

    status: int
    tail: tuple[str, ...] = ()


@dataclass
class RunState:
    """The whole run: tracks by segment and host, calls under way, and who left."""

    job: Job
    tracks: dict[str, dict[str, Track]] = field(init=False)
    running: dict[int, Running] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    stopping: Reason = ""

    def __post_init__(self) -> None:
        self.tracks = {
            segment.id: {host: Track(segment.stages_of(host)) for host in segment.hosts}
            for segment in self.job.segments
        }

    def launch(
        self, segment: str, hosts: Iterable[str], variables: dict[str, Any], now: float
    ) -> tuple[Call, list[Draft]]:
        """Begin a call for hosts of a segment, each at the first stage that is not done."""
        tracks = self.tracks[segment]
        chosen = list(hosts)
        stages = self.job.segment(segment).stages
        lists = tuple(
            (stage, tuple(host for host in chosen if stage in tracks[host].rest)) for stage in stages
        )
        self.calls += 1
        call = Call(self.calls, segment, tuple((stage, of) for stage, of in lists if of), variables)
        self.running[call.number] = Running(call, since=now)
        for host in chosen:
            tracks[host].state, tracks[host].call = "running", call.number
        names = [stage for stage, _ in call.stages]
        return call, [
            Draft(
                Kind.SEGMENT_STARTED,
                data={"segment": segment, "stages": names, "hosts": chosen, "wave": call.number},
            )
        ]

    def report(  # noqa: PLR0911  one return for each kind
        self, number: int, message: Message, now: float
    ) -> list[Draft]:
        """Take one message of a call; those of a call that is being stopped no longer count."""
        running = self.running.get(number)
        if running is None or running.stopped:
            return []
        match message.kind:
            case "play":
                drafts = self._close(running, now)
                running.stage, running.since, running.failed = message.stage, now, False
                running.touched = set()
                return drafts
            case "end":
                return [] if running.failed else self._close(running, now)
            case "task":
                return [
                    Draft(
                        Kind.TASK_STARTED,
                        stage=running.stage,
                        task=message.task,
                        data={"segment": running.call.segment},
                    )
                ]
            case "start":
                return self._started(running, message.host, now)
            case "ok":
                return self._succeeded(running, message, now)
            case _:
                hosts = sorted(running.touched | {message.host}) if message.all else [message.host]
                hosts = self._hosts_of(running) if message.all else hosts
                return [
                    draft
                    for host in hosts
                    for draft in self._failed(running, host, message.error, message.task, now)
                ]

    def _hosts_of(self, running: Running) -> list[str]:
        """Return the hosts that the current play of a call is for and that are still in it."""
        hosts = dict(running.call.stages).get(running.stage, ())
        return [host for host in hosts if self._current(running, host) is not None]

    def _current(self, running: Running, host: str) -> Track | None:
        """Return the host's track when it is at the stage that the call is at."""
        track = self.tracks[running.call.segment].get(host)
        if track is None or track.state != "running" or track.call != running.call.number:
            return None
        return track if track.stage == running.stage else None

    def _started(self, running: Running, host: str, now: float) -> list[Draft]:
        track = self._current(running, host)
        if track is None or host in running.touched:
            return []
        running.touched.add(host)
        track.begun = now
        return [Draft(Kind.STEP_STARTED, running.stage, host, attempt=track.attempt)]

    def _succeeded(self, running: Running, message: Message, now: float) -> list[Draft]:
        track = self._current(running, message.host)
        if track is None:
            return []
        track.changed = track.changed or message.changed
        track.differences += message.differences
        drafts = []
        if message.observation is not None:
            drafts.append(Draft(Kind.OBSERVATION, running.stage, message.host, data=message.observation))
        return drafts + (self._done(track, message.host, now) if message.last else [])

    def _close(self, running: Running, now: float) -> list[Draft]:
        """End the current play: hosts that were in it and did not fail are done with the stage."""
        drafts = []
        for host in sorted(running.touched):
            track = self._current(running, host)
            if track is not None:
                drafts += self._done(track, host, now)
        return drafts

    def _done(self, track: Track, host: str, now: float) -> list[Draft]:
        seconds = round(now - (track.begun if track.begun is not None else now), 3)
        data = {"changed": track.changed, "differences": track.differences, "seconds": seconds}
        draft = Draft(Kind.STEP_DONE, track.stage, host, attempt=track.attempt, data=data)
        track.rewind()
        track.position, track.attempt = track.position + 1, 1
        if not track.stage:
            track.state = "done"
        return [draft]

    def _failed(
        self, running: Running, host: str, error: dict[str, Any], task: str, now: float
    ) -> list[Draft]:
        track = self._current(running, host)
        if track is None:
            return []
        running.failed = True
        return self._fail(track, host, error, task, now)

    def _fail(self, track: Track, host: str, error: dict[str, Any], task: str, now: float) -> list[Draft]:
        """End one attempt of a host's step: try again later, or take the host out of the run."""
        drafts = []
        if error.get("code") == "unreachable":
            drafts.append(Draft(Kind.HOST_UNREACHABLE, track.stage, host, data={"error": error}))
        retry = self.job.retries.get(track.stage, Retry())
        attempt = track.attempt
        track.rewind()
        if error.get("retriable") and attempt < retry.attempts and not self.stopping:
            delay = retry.delay(attempt)
            track.state, track.due, track.attempt = "retry", now + delay, attempt + 1
            data = {"error": error, "delay_seconds": delay}
            return [*drafts, Draft(Kind.STEP_RETRY, track.stage, host, task, attempt, data)]
        track.state = "failed"
        self.left.setdefault(host, "failed")
        return [
            *drafts,
            Draft(Kind.STEP_FAILED, track.stage, host, task, attempt, {"error": error}),
            *self._rest(track, host),
        ]

    def _rest(self, track: Track, host: str) -> list[Draft]:
        """Block the stages that would have followed in the segment."""
        reason = f"stage {track.stage} failed on {host}"
        return [Draft(Kind.STEP_BLOCKED, stage, host, data={"reason": reason}) for stage in track.rest[1:]]

    def block(self, segment: str, hosts: Iterable[str], reason: str) -> list[Draft]:
        """Give up on hosts of a segment without having tried."""
        drafts = []
        for host in hosts:
            track = self.tracks[segment][host]
            data = {"reason": reason}
            drafts += [Draft(Kind.STEP_BLOCKED, stage, host, data=data) for stage in track.rest]
            track.state = "blocked"
            self.left.setdefault(host, "blocked")
        return drafts

    def ended(self, number: int, outcome: Outcome, now: float) -> list[Draft]:
        """Take the end of a call: whoever it left unfinished fails, is blocked, or goes on in another."""
        running = self.running.pop(number)
        drafts = []
        for host in running.call.hosts:
            track = self.tracks[running.call.segment][host]
            if track.state == "running" and track.call == number:
                drafts += self._unfinished(running, track, host, outcome, now)
        return drafts

    def _unfinished(
        self, running: Running, track: Track, host: str, outcome: Outcome, now: float
    ) -> list[Draft]:
        here = track.stage == running.stage
        if self.stopping:
            track.state = "interrupted"
            data = {"reason": self.stopping}
            return (
                [Draft(Kind.STEP_INTERRUPTED, track.stage, host, attempt=track.attempt, data=data)]
                if track.begun
                else []
            )
        if running.stopped and not here:
            track.state, track.due = "retry", now
            return []
        if running.stopped and host in running.touched:
            seconds = self.job.stage_timeouts[running.stage]
            return self._fail(
                track,
                host,
                failure(
                    "timeout",
                    f"stage {running.stage} took longer than {seconds:g} s on {host}",
                    retriable=True,
                ),
                "",
                now,
            )
        if running.failed or running.stopped:
            return self.block(
                running.call.segment,
                [host],
                f"the play ended before {host} had its turn in stage {track.stage}",
            )
        message = (
            f"ansible-playbook ended with status {outcome.status} before {track.stage} was done on {host}"
        )
        return self._fail(track, host, failure("internal", message, tail=list(outcome.tail)), "", now)
