# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run has to do, as the supervisor reads it from ``job.json``. Pure, plain data.

Plain dataclasses, not pydantic: the supervisor starts once for every run and every probe, and a
lean import is most of its start-up time.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from kubexms.errors import KubexmsError

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class JobInvalid(KubexmsError):
    """A job that cannot be run; a fault of whoever built it."""

    code = "job-invalid"


@dataclass(frozen=True)
class Retry:
    """How often a stage is tried in all, and how long to wait before each further attempt.

    The wait before attempt n + 1 is ``delay_seconds * backoff ** (n - 1)`` seconds.
    """

    attempts: int = 1
    delay_seconds: float = 5.0
    backoff: float = 2.0

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after failed attempt number ``attempt`` (from 1)."""
        return self.delay_seconds * self.backoff ** (attempt - 1)


@dataclass(frozen=True)
class Segment:
    """What one call of ansible-runner does: stages in order, each with its own hosts.

    ``after`` names the segments that must be over first. When one in ``needs`` lost a host, this one
    does not begin and its steps are blocked. ``delegates`` are hosts of which one must be in order,
    best first: the first that has not left the run becomes the variable ``kubexms_delegate``; when
    all have left, the segment is blocked too. ``variables`` are given to every play.
    """

    id: str
    stages: tuple[tuple[str, tuple[str, ...]], ...]
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    delegates: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(name for name, _ in self.stages)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """All hosts of the segment, each once."""
        return tuple(dict.fromkeys(host for _, hosts in self.stages for host in hosts))


@dataclass(frozen=True)
class Job:
    """Everything a supervisor needs. Times are in seconds; 0 means no limit.

    ``files`` (sha256 -> path) are served over HTTP on ``bind`` while the run lasts; empty means no
    server. ``environment`` names the variables of the starter's environment that the inventory reads
    with Ansible's env lookup; their values are secrets and are never written down. ``check`` runs the
    playbooks in Ansible's check mode with diff: nothing is changed.
    """

    run_id: str
    trace_id: str
    verb: str
    inventory_file: str
    collections_path: str
    segments: tuple[Segment, ...]
    retries: Mapping[str, Retry] = field(default_factory=dict)
    timeout_seconds: float = 0.0
    stage_timeouts: Mapping[str, float] = field(default_factory=dict)
    forks: int = 50
    files: Mapping[str, str] = field(default_factory=dict)
    bind: str = "0.0.0.0"  # noqa: S104  hosts fetch their files from the controller
    environment: tuple[str, ...] = ()
    check: bool = False

    def __post_init__(self) -> None:
        known: set[str] = set()
        for segment in self.segments:
            _check_segment(segment, known)
            known.add(segment.id)

    def segment(self, identifier: str) -> Segment:
        """Return the segment with this id, which must exist."""
        return next(segment for segment in self.segments if segment.id == identifier)

    def retry(self, stage: str) -> Retry:
        """Return how often a stage is tried; once when nothing is said."""
        return self.retries.get(stage, Retry())

    def to_json(self) -> str:
        """Return the job as one JSON document."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Return the job that ``to_json`` wrote. Raises JobInvalid on anything else."""
        try:
            document = json.loads(text)
            document["segments"] = tuple(_segment(item) for item in document["segments"])
            document["retries"] = {name: Retry(**item) for name, item in document["retries"].items()}
            document["environment"] = tuple(document["environment"])
            document["environment"] = tuple(document["environment"])
            return cls(**document)
        except (ValueError, KeyError, TypeError, AttributeError) as cause:
            raise JobInvalid(f"the job cannot be read: {cause}") from cause


def _check_segment(segment: Segment, known: set[str]) -> None:
    """Raise JobInvalid when the segment cannot stand after the ``known`` ones."""
    if not _IDENTIFIER.fullmatch(segment.id):
        raise JobInvalid(f"segment id {segment.id!r} is not a plain word")
    if segment.id in known:
        raise JobInvalid(f"segment {segment.id} is there twice")
    if not segment.stages or not all(hosts for _, hosts in segment.stages):
        raise JobInvalid(f"segment {segment.id} has no stages, or a stage without hosts")
    if len(set(segment.names)) < len(segment.names):
        raise JobInvalid(f"segment {segment.id} names a stage twice")
    unknown = sorted({*segment.after, *segment.needs} - known)
    if unknown:
        raise JobInvalid(f"segment {segment.id} waits for {', '.join(unknown)}, not listed before it")


def _segment(document: Mapping[str, Any]) -> Segment:
    """Return the segment of a decoded JSON object; lists become tuples."""
    lists = {key: tuple(document[key]) for key in ("after", "needs", "delegates")}
    stages = tuple((name, tuple(hosts)) for name, hosts in document["stages"])
    return Segment(id=document["id"], stages=stages, variables=document["variables"], **lists)
