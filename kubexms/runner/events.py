# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run reports: one flat record for each thing that happened. Pure.

``data`` by kind (every other kind has none):

=================  ==================================================================
run.started        verb, segments: [{id, stages, after, needs}], resumed: bool
segment.started    segment, stages, wave (number of the playbook call, from 1)
segment.finished   segment, state: done|partial|failed|blocked
step.done          changed, differences: [{path, before, after}], seconds
step.failed        error (final: no attempt is left)
step.retry         error, delay_seconds; ``attempt`` is the one that failed
step.blocked       reason
step.skipped       reason
step.interrupted   reason: cancelled|timeout
host.unreachable   error
observation        what the probe saw on this host
run.cancelling     reason: cancelled|timeout
run.finished       state: done|partial|failed|cancelled|timeout, failed_hosts, blocked_hosts
=================  ==================================================================

``error`` is {code, message, hint, tail: [lines], retriable: bool} everywhere, ``stages`` a list of
[stage, [hosts]] in order.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of events."""

    RUN_STARTED = "run.started"
    RUN_CANCELLING = "run.cancelling"
    RUN_FINISHED = "run.finished"
    SEGMENT_STARTED = "segment.started"
    SEGMENT_FINISHED = "segment.finished"
    STEP_STARTED = "step.started"
    STEP_DONE = "step.done"
    STEP_FAILED = "step.failed"
    STEP_RETRY = "step.retry"
    STEP_BLOCKED = "step.blocked"
    STEP_SKIPPED = "step.skipped"
    STEP_INTERRUPTED = "step.interrupted"
    TASK_STARTED = "task.started"
    HOST_UNREACHABLE = "host.unreachable"
    OBSERVATION = "observation"


STEP_ENDS = frozenset({Kind.STEP_DONE, Kind.STEP_FAILED, Kind.STEP_RETRY, Kind.STEP_INTERRUPTED})
"""Kinds that must be on the disk soon: what they say is not to be done again."""


@dataclass(frozen=True)
class Draft:
    """An event before it has a number and a time."""

    kind: Kind
    stage: str = ""
    host: str = ""
    task: str = ""
    attempt: int = 0
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One line of the spool. ``seq`` counts from 1 without gaps; ``time`` is Unix time in seconds."""

    seq: int
    time: float
    kind: str
    run_id: str
    stage: str = ""
    host: str = ""
    task: str = ""
    attempt: int = 0
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, draft: Draft, *, seq: int, time: float, run_id: str) -> "Event":
        """Return the event of a draft."""
        return cls(
            seq, time, draft.kind, run_id, draft.stage, draft.host, draft.task, draft.attempt, draft.data
        )

    def to_line(self) -> bytes:
        """Return the event as one line of JSON, newline included; empty fields are left out."""
        document = {key: value for key, value in vars(self).items() if value not in ("", 0, {})}
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Event":
        """Return the event of a line; fields that a later version added are dropped. Raises ValueError."""
        document = json.loads(line)
        if not isinstance(document, dict) or not {"seq", "time", "kind", "run_id"} <= document.keys():
            raise ValueError("not an event")
        return cls(**{key: value for key, value in document.items() if key in cls.__dataclass_fields__})
