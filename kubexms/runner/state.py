# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run stands, and how each report moves it. No I/O; the supervisor is its one owner.

A stage is done for a host when its last task there succeeded. Where the callback plugin can prove
that a task is the play's last (no handlers, no includes, no rescue, not run once for all), that
task's success is the moment; otherwise it is the start of the next play or the end of the playbook.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Job, Segment
from kubexms.runner.messages import Message, failure
from kubexms.runner.playbook import Call
from kubexms.runner.track import Track

Reason = Literal["", "cancelled", "timeout"]


@dataclass
class Running:
    """A call of ansible-playbook that is under way, and the play it is at.

    ``touched`` are the hosts that began the play, ``failed`` says that one of them failed,
    ``stopped`` that the call is being ended from outside: what it still says does not count.
    """

    call: Call
    since: float
    stage: str = ""
    touched: set[str] = field(default_factory=set)
    failed: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a call ended: ansible-playbook's exit status and its last own words."""

    status: int
    tail: tuple[str, ...] = ()


@dataclass
class RunState:
    """The whole run: tracks by segment and host, calls under way, segments that are over.

    ``left`` are the hosts that left the run (``failed`` or ``blocked``). ``moved`` is set whenever
    something happened that the scheduler has to look at.
    """

    job: Job
    tracks: dict[str, dict[str, Track]] = field(init=False)
    running: dict[int, Running] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    stopping: Reason = ""
    moved: bool = True

    def __post_init__(self) -> None:
        self.tracks = {segment.id: _tracks(segment) for segment in self.job.segments}

    def launch(
        self, segment: str, hosts: Iterable[str], variables: Mapping[str, Any], now: float
    ) -> tuple[Call, list[Draft]]:
        """Begin a call for hosts of a segment, each with the stages that are not done."""
        self.calls += 1
        chosen = [self.tracks[segment][host] for host in hosts]
        names = self.job.segment(segment).names
        lists = ((name, tuple(track.host for track in chosen if name in track.left)) for name in names)
        call = Call(self.calls, segment, tuple((name, of) for name, of in lists if of), variables)
        self.running[call.number] = Running(call, now)
        for track in chosen:
            track.launch(call.number)
        data = {"segment": segment, "stages": call.stages, "wave": call.number}
        return call, [Draft(Kind.SEGMENT_STARTED, data=data)]

    def report(self, number: int, message: Message, now: float) -> list[Draft]:
        """Take one message of a call."""
        running = self.running.get(number)
        if running is None or running.stopped or self.stopping:
            return []
        match message.kind:
            case "play":
                return self._play(running, message.stage, now)
            case "end":
                return [] if running.failed else self._close(running, now)
            case "task":
                data = {"segment": running.call.segment}
                return [Draft(Kind.TASK_STARTED, running.stage, task=message.task, data=data)]
            case "failed":
                return self._failed(running, message, now)
            case _:
                return self._went_on(running, message, now)

    def block(self, segment: str, hosts: Iterable[str], reason: str) -> list[Draft]:
        """Give up on hosts of a segment without having tried."""
        tracks = [self.tracks[segment][host] for host in hosts]
        return [draft for track in tracks for draft in self._settle(track, track.block(reason))]

    def ended(self, number: int, outcome: Outcome, now: float) -> list[Draft]:
        """Take the end of a call: whoever it left unfinished fails, is blocked, or goes on in another."""
        running = self.running.pop(number)
        self.moved = True
        tracks = (self.tracks[running.call.segment][host] for host in running.call.hosts)
        mine = [track for track in tracks if track.state == "running" and track.call == number]
        return [
            draft for track in mine for draft in self._settle(track, self._cut(running, track, outcome, now))
        ]

    def _at(self, running: Running, host: str) -> Track | None:
        """Return the host's track when it takes part in the play that the call is at."""
        track = self.tracks[running.call.segment].get(host)
        if track is None or track.state != "running" or track.call != running.call.number:
            return None
        return track if track.stage == running.stage else None

    def _settle(self, track: Track, drafts: list[Draft]) -> list[Draft]:
        """Remember a host that left the run; pass the drafts on."""
        if track.state in ("failed", "blocked"):
            self.left.setdefault(track.host, track.state)
        self.moved = self.moved or track.state != "running"
        return drafts

    def _play(self, running: Running, stage: str, now: float) -> list[Draft]:
        """Go on to the next play of a call, or to its next batch of hosts."""
        drafts = self._close(running, now)
        running.stage, running.since, running.failed, running.touched = stage, now, False, set()
        return drafts

    def _close(self, running: Running, now: float) -> list[Draft]:
        """End the current play: hosts that were in it and did not fail are done with the stage."""
        found = (self._at(running, host) for host in sorted(running.touched))
        tracks = [track for track in found if track is not None]
        return [draft for track in tracks for draft in self._settle(track, track.succeed(now))]

    def _went_on(self, running: Running, message: Message, now: float) -> list[Draft]:
        """Take a host's start on a task, or its success."""
        track = self._at(running, message.host)
        if track is None:
            return []
        if message.kind == "start":
            running.touched.add(message.host)
            return track.begin(now)
        track.note(changed=message.changed, differences=message.differences)
        drafts = []
        if message.observation is not None:
            drafts.append(Draft(Kind.OBSERVATION, track.stage, track.host, data=message.observation))
        return drafts + (self._settle(track, track.succeed(now)) if message.last else [])

    def _failed(self, running: Running, message: Message, now: float) -> list[Draft]:
        """Take a failure: of one host, or of all in the play when the task was to run once for them."""
        hosts = dict(running.call.stages).get(running.stage, ()) if message.all else (message.host,)
        found = (self._at(running, host) for host in hosts)
        drafts: list[Draft] = []
        for track in [track for track in found if track is not None]:
            running.failed = True
            retry = self.job.retry(track.stage)
            drafts += self._settle(track, track.fail(message.error, retry, now, task=message.task))
        return drafts

    def _cut(self, running: Running, track: Track, outcome: Outcome, now: float) -> list[Draft]:
        """Decide on a host that a call left behind in the middle.

        When the call broke off (a play lost all its hosts, or ran out of time), hosts with later
        stages go on in another call, and hosts whose turn in the play had not come are blocked: that
        play takes hosts in turn so as not to break the next one.
        """
        if self.stopping:
            return track.interrupt(self.stopping)
        broke = running.stopped or running.failed
        here = track.stage == running.stage
        if broke and not here and _is_later(running.call, track.stage, running.stage):
            return track.resume(now)
        if broke and here and track.host not in running.touched:
            return track.block(f"stage {track.stage} broke off before the turn of {track.host} came")
        retry = self.job.retry(track.stage)
        if running.stopped:
            limit = self.job.stage_timeouts.get(running.stage, 0)
            text = f"stage {track.stage} was not done on {track.host} after {limit:g} s"
            return track.fail(failure("timeout", text, retriable=True), retry, now)
        text = f"ansible-playbook ended ({outcome.status}) before {track.stage} was done on {track.host}"
        return track.fail(failure("internal", text, tail=outcome.tail), retry, now)


def _tracks(segment: Segment) -> dict[str, Track]:
    """Return the track of every host of a segment."""
    stages: dict[str, list[str]] = {}
    for name, hosts in segment.stages:
        for host in hosts:
            stages.setdefault(host, []).append(name)
    return {host: Track(host, tuple(names)) for host, names in stages.items()}


def _is_later(call: Call, stage: str, than: str) -> bool:
    """Tell whether a call has one stage after another one."""
    names = [name for name, _ in call.stages]
    return stage in names and than in names and names.index(stage) > names.index(than)
