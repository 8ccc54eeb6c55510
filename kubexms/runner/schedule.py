# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next in a run. Pure: reads the state, decides, changes nothing.

A segment begins when all that it comes after are over. A host that failed or was blocked is left out
of every later segment. A host with a retriable failure is tried again, when its time has come, in a
call of its own beside the segment's others, but not while one of those is at the same stage or an
earlier one. A segment is over when all its hosts are settled.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubexms.runner.job import Segment
from kubexms.runner.state import SETTLED, RunState


@dataclass(frozen=True)
class Launch:
    """Start a call for these hosts of a segment; ``delegate`` is a host in order, or ""."""

    segment: str
    hosts: tuple[str, ...]
    delegate: str = ""


@dataclass(frozen=True)
class Block:
    """Give up on these hosts of a segment."""

    segment: str
    hosts: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Finish:
    """Declare a segment over: done, partial, failed or blocked."""

    segment: str
    state: str


Decision = Launch | Block | Finish


def decide(state: RunState, now: float) -> list[Decision]:
    """Return what can be done now, at most one decision for each segment; ask again after doing it."""
    decisions = (
        _segment(state, segment, now) for segment in state.job.segments if segment.id not in state.over
    )
    return [decision for decision in decisions if decision is not None]


def next_due(state: RunState) -> float | None:
    """Return the earliest time at which a retry is due, or None."""
    due = [
        track.due for tracks in state.tracks.values() for track in tracks.values() if track.state == "retry"
    ]
    return min(due, default=None)


def verdict(state: RunState) -> str:
    """Return the state of a run whose segments are all over: done, partial or failed.

    Partial means that some hosts failed or were blocked and at least one is done with all its steps.
    """
    if not state.left:
        return "done"
    hosts = {host for segment in state.job.segments for host in segment.hosts}
    return "partial" if hosts - state.left.keys() else "failed"


def _segment(state: RunState, segment: Segment, now: float) -> Decision | None:
    tracks = state.tracks[segment.id]
    if all(track.state in SETTLED for track in tracks.values()):
        return Finish(segment.id, _summary(track.state for track in tracks.values()))
    if not set(segment.after) <= state.over.keys():
        return None
    lost = _lost(state, segment)
    waiting = tuple(host for host, track in tracks.items() if track.state == "waiting")
    gone = tuple(host for host in waiting if host in state.left)
    if gone:
        return Block(segment.id, gone, "the host failed in an earlier stage")
    if lost and waiting:
        return Block(segment.id, waiting, f"it needs {', '.join(lost)}, which failed")
    due = waiting + tuple(
        host
        for host, track in tracks.items()
        if track.state == "retry" and track.due <= now and _free(state, segment, host)
    )
    return _launch(state, segment, due) if due else None


def _lost(state: RunState, segment: Segment) -> list[str]:
    """Return the hosts of the segments it needs that have left the run."""
    hosts = {host for needed in segment.needs for host in state.job.segment(needed).hosts}
    return sorted(hosts & state.left.keys())


def _launch(state: RunState, segment: Segment, hosts: tuple[str, ...]) -> Decision:
    """Launch hosts with the first delegate in order, or block them when there is none left."""
    delegate = next((host for host in segment.delegates if host not in state.left), "")
    if segment.delegates and not delegate:
        return Block(segment.id, hosts, f"no host is left to help: {', '.join(segment.delegates)} failed")
    return Launch(segment.id, hosts, delegate)


def _free(state: RunState, segment: Segment, host: str) -> bool:
    """Tell whether no call of the segment is at the host's stage or has it still to come."""
    position = segment.stages.index(state.tracks[segment.id][host].stage)
    for running in state.running.values():
        if running.call.segment == segment.id:
            stage = running.stage or running.call.stages[0][0]
            if segment.stages.index(stage) <= position:
                return False
    return True


def _summary(states: Iterable[str]) -> str:
    found = set(states)
    if found == {"done"}:
        return "done"
    if "done" in found:
        return "partial"
    return "failed" if "failed" in found else "blocked"
