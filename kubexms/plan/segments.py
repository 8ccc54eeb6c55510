# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of steps: segments that wait for each other only where they must."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubexms.plan.model import Segment, Step
from kubexms.plan.stages import BY_NAME, STAGES

_CLUSTER_STAGES = ("addons", "nodes")


@dataclass(frozen=True)
class Layout:
    """What the order depends on: who is joined, who leads, and how much may be down at once."""

    joined: frozenset[str]
    control_plane: tuple[str, ...]
    max_unavailable: int
    delegate: str
    is_new: bool


def arrange(steps: Sequence[Step], layout: Layout) -> tuple[Segment, ...]:
    """Return the segments of a plan, those without steps left out.

    A new cluster starts its first host beside the preparation of the others. On a running cluster
    control-plane hosts change one at a time, each needing the one before; workers change together,
    or ``max_unavailable`` at a time where something restarts. Joins come after changes, nodes last.
    """
    local = [step for step in steps if step.stage not in _CLUSTER_STAGES]
    joined = layout.joined
    if layout.is_new:
        first = [step for step in steps if step.host == layout.delegate and step.stage != "nodes"]
        changes = [_segment("first-control-plane", first)]
        local = [step for step in local if step.host != layout.delegate]
    else:
        changes = _rolling(local, [name for name in layout.control_plane if name in joined])
        changes += _workers(local, joined - set(layout.control_plane), layout.max_unavailable)
        changes.append(
            _segment("addons", [step for step in steps if step.stage == "addons"], _names(changes))
        )
    joining = [step for step in local if step.host not in joined]
    prepare = _segment("prepare", [step for step in joining if step.stage != "join"])
    must = ("first-control-plane",) if layout.is_new else ()
    join = _segment(
        "join", [step for step in joining if step.stage == "join"], (*_names(changes), "prepare"), must
    )
    nodes = _segment(
        "nodes",
        [step for step in steps if step.stage == "nodes"],
        (*_names(changes), "prepare", "join"),
        must,
    )
    return _without_empty([*changes, prepare, join, nodes])


def _segment(
    name: str, steps: Iterable[Step], after: Iterable[str] = (), needs: Iterable[str] = ()
) -> Segment:
    by_stage: dict[str, list[str]] = {}
    for step in steps:
        by_stage.setdefault(step.stage, []).append(step.host)
    stages = tuple((stage.name, tuple(by_stage[stage.name])) for stage in STAGES if stage.name in by_stage)
    return Segment(name, stages, tuple(after), tuple(needs))


def _rolling(steps: Sequence[Step], hosts: Sequence[str]) -> list[Segment]:
    """Return one segment per control-plane host, each needing the one before to have gone well."""
    chain: list[Segment] = []
    for host in hosts:
        segment = _segment(f"control-plane-{host}", [step for step in steps if step.host == host])
        if segment.stages:
            before = (chain[-1].name,) if chain else ()
            chain.append(Segment(segment.name, segment.stages, before, before))
    return chain


def _workers(steps: Sequence[Step], hosts: frozenset[str], max_unavailable: int) -> list[Segment]:
    """Return the segments of joined workers: one for quiet changes, batches where something restarts."""
    disturbed = list(
        dict.fromkeys(step.host for step in steps if step.host in hosts and BY_NAME[step.stage].disruptive)
    )
    quiet = [step for step in steps if step.host in hosts and step.host not in disturbed]
    segments = [_segment("workers", quiet)]
    before: tuple[str, ...] = ()
    for start in range(0, len(disturbed), max_unavailable):
        batch = disturbed[start : start + max_unavailable]
        name = f"workers-{start // max_unavailable + 1}"
        segments.append(_segment(name, [step for step in steps if step.host in batch], before, before))
        before = (name,)
    return segments


def _names(segments: Iterable[Segment]) -> tuple[str, ...]:
    return tuple(segment.name for segment in segments)


def _without_empty(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    there = {segment.name for segment in segments if segment.stages}
    return tuple(
        Segment(
            segment.name,
            segment.stages,
            tuple(name for name in segment.after if name in there),
            tuple(name for name in segment.needs if name in there),
        )
        for segment in segments
        if segment.stages
    )
