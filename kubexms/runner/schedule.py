# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next in a run. Pure: reads the state, decides, changes nothing.

A segment begins when all that it comes after or needs are over. A host that failed or was blocked is
left out of every later segment. Hosts with a retriable failure are tried again, when their time has
come, in a call beside the segment's others; so hosts that must not be touched at the same time stand
in different segments. A segment is over when all its hosts are settled.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubexms.runner.job import Segment
from kubexms.runner.state import RunState
from kubexms.runner.track import SETTLED, Track

CALLS_AT_ONCE = 3
"""Calls that a segment may have at a time: the first and two for retries; each costs some 60 MB."""


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
    tracks = (track for tracks in state.tracks.values() for track in tracks.values())
    return min((track.due for track in tracks if track.state == "retry"), default=None)


def verdict(state: RunState) -> str:
    """Return the state of a run whose segments are all over: done, partial or failed.

    Partial means that some hosts left the run and at least one is done with all its steps.
    """
    if not state.left:
        return "done"
    hosts = {host for segment in state.job.segments for host in segment.hosts}
    return "partial" if hosts - state.left.keys() else "failed"


def _segment(state: RunState, segment: Segment, now: float) -> Decision | None:
    tracks = state.tracks[segment.id].values()
    if all(track.state in SETTLED for track in tracks):
        return Finish(segment.id, _summary(track.state for track in tracks))
    if not {*segment.after, *segment.needs} <= state.over.keys():
        return None
    calls = sum(running.call.segment == segment.id for running in state.running.values())
    ready = [track for track in tracks if _is_ready(track, now, may_retry=calls < CALLS_AT_ONCE)]
    gone = tuple(track.host for track in ready if track.host in state.left)
    if gone:
        return Block(segment.id, gone, "the host failed in another stage")
    return _launch(state, segment, tuple(track.host for track in ready)) if ready else None


def _launch(state: RunState, segment: Segment, hosts: tuple[str, ...]) -> Decision:
    """Launch hosts, or block them where something that they need has failed."""
    broken = [name for name in segment.needs if state.over[name] != "done"]
    if broken:
        return Block(segment.id, hosts, f"it needs {', '.join(broken)}, where a host failed")
    delegate = next((host for host in segment.delegates if host not in state.left), "")
    if segment.delegates and not delegate:
        return Block(segment.id, hosts, f"no host is left to help: {', '.join(segment.delegates)} failed")
    return Launch(segment.id, hosts, delegate)


def _is_ready(track: Track, now: float, *, may_retry: bool) -> bool:
    """Tell whether a host waits for its first call, or for another one whose time has come."""
    return track.state == "waiting" or (may_retry and track.state == "retry" and track.due <= now)


def _summary(states: Iterable[str]) -> str:
    found = set(states)
    if found == {"done"}:
        return "done"
    if "done" in found:
        return "partial"
    return "failed" if "failed" in found else "blocked"
