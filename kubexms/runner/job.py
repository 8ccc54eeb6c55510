# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run has to do, as the supervisor reads it from ``job.json``. Pure, plain data.

Plain dataclasses, not pydantic: the supervisor starts once for every run and every probe, and a
lean import is most of its start-up time.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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
    """Stages that run one after the other on the same hosts, in one call of ansible-runner.

    ``after`` names the segments that must be over first. ``delegates`` are hosts of which one must
    be in order, best first: the first that has not failed becomes the variable ``kubexms_delegate``;
    when all have failed the segment is blocked. Stages that must touch one host at a time across
    the whole run stand in a segment of their own.

    ``only`` names the hosts of a stage that not all hosts of the segment need. A segment does not
    start, and its steps are blocked, when a host of a segment in ``needs`` has left the run.
    """

    id: str
    stages: tuple[str, ...]
    hosts: tuple[str, ...]
    after: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    delegates: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stages_of(self, host: str) -> tuple[str, ...]:
        """Return the stages that a host of the segment passes, in order."""
        return tuple(stage for stage in self.stages if host in self.only.get(stage, self.hosts))


@dataclass(frozen=True)
class Job:
    """Everything a supervisor needs. Times are in seconds; 0 means no limit.

    ``files`` (sha256 -> path) are served over HTTP on ``bind`` while the run lasts; empty means no
    server. ``check`` runs the playbooks in Ansible's check mode with diff: nothing is changed.
    ``environment`` names variables of the starter's environment that lookups in the inventory read.
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
    check: bool = False
    environment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known: set[str] = set()
        for segment in self.segments:
            _check_segment(segment, known)
            known.add(segment.id)

    def segment(self, identifier: str) -> Segment:
        """Return the segment with this id, which must exist."""
        return next(segment for segment in self.segments if segment.id == identifier)

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
            return cls(**document)
        except (ValueError, KeyError, TypeError, AttributeError) as cause:
            raise JobInvalid(f"the job cannot be read: {cause}") from cause


def _check_segment(segment: Segment, known: set[str]) -> None:
    """Raise JobInvalid when the segment cannot stand after the ``known`` ones."""
    if not _IDENTIFIER.fullmatch(segment.id):
        raise JobInvalid(f"segment id {segment.id!r} is not a plain word")
    if segment.id in known:
        raise JobInvalid(f"segment {segment.id} is there twice")
    if not segment.stages or not segment.hosts:
        raise JobInvalid(f"segment {segment.id} has no stages or no hosts")
    unknown = sorted({*segment.after, *segment.needs} - known)
    if unknown:
        raise JobInvalid(f"segment {segment.id} comes after {', '.join(unknown)}, not listed before it")


def _segment(document: Mapping[str, Any]) -> Segment:
    """Return the segment of a decoded JSON object; lists become tuples."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
    fields["only"] = {stage: tuple(hosts) for stage, hosts in document["only"].items()}
    return Segment(**fields)
