# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the store and comes out of it: frozen values, free of SQLAlchemy.

Times are seconds since the epoch (UTC). Plans, results and the data of events are JSON objects
whose shape belongs to the room that makes them; everything else is typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from kubexms.plan.states import RunState, StepState

Document = Mapping[str, Any]
"""A JSON object that the store keeps and does not read."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Cluster:
    """A cluster by its unique name. ``id`` is made once and never changes; hosts carry it as well."""

    id: str
    name: str
    path: str
    definition_digest: str
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class HostIdentity:
    """Who a host says it is. None means not known, which neither matches nor contradicts."""

    name: str
    address: str
    machine_id: str | None = None
    ssh_host_key: str | None = None


@dataclass(frozen=True)
class Host:
    """A host as first met: later meetings must show the same machine id and SSH host key."""

    cluster_id: str
    name: str
    address: str
    machine_id: str | None
    ssh_host_key: str | None
    first_seen: float


class MismatchKind(StrEnum):
    """How a host contradicts what was recorded."""

    SSH_HOST_KEY = "ssh-host-key"
    MACHINE_ID = "machine-id"
    SAME_MACHINE = "same-machine"


@dataclass(frozen=True)
class Mismatch:
    """One contradiction. For SAME_MACHINE both values are names of hosts, else key or id."""

    kind: MismatchKind
    host: str
    recorded: str
    found: str

    def __str__(self) -> str:
        if self.kind is MismatchKind.SAME_MACHINE:
            return f"{self.host} is the same machine as {self.recorded}"
        what = "SSH host key" if self.kind is MismatchKind.SSH_HOST_KEY else "machine id"
        return f"{self.host} has {what} {self.found}, recorded is {self.recorded}"


@dataclass(frozen=True)
class Failure:
    """Why a run or a step failed, in the words of whoever noticed. ``tail``: last lines of the command."""

    code: str
    message: str
    hint: str = ""
    tail: tuple[str, ...] = ()
    retriable: bool = False


@dataclass(frozen=True)
class Run:
    """One run of a verb on a cluster. Its plan is read apart (``runs.plan``): it may be large.

    ``directory`` holds job, spool and lease; ``spool_offset`` bytes of the spool are in the store.
    ``finished_at`` is set in every state that is not active and cleared when the run is resumed.
    """

    id: str
    cluster_id: str
    verb: str
    state: RunState
    trace_id: str
    directory: Path
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    spool_offset: int = 0
    error: Failure | None = None
    result: Document | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some of a list, and the cursor that asks for the next ones; None at the end."""

    items: tuple[Item, ...]
    cursor: str | None = None


@dataclass(frozen=True)
class PlannedStep:
    """A step the plan wants: ``digest`` is that of its input, ``reason`` is shown to the user."""

    stage: str
    host: str
    digest: str
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """One stage on one host in a run. ``attempt`` counts its starts, those before a resume included.

    ``changed`` is None until it was done. ``error`` is that of the last failure, cleared when done.
    """

    run_id: str
    stage: str
    host: str
    state: StepState
    digest: str = ""
    attempt: int = 0
    reason: str = ""
    changed: bool | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: Failure | None = None


class SpoolEvent(Protocol):
    """What the store reads of an event of the supervisor's spool. Absent text is empty, absent numbers 0."""

    @property
    def seq(self) -> int:
        """Number in the run, from 1."""

    @property
    def time(self) -> float:
        """When it happened."""

    @property
    def kind(self) -> str:
        """What happened, for example ``step.done``."""

    @property
    def stage(self) -> str:
        """The stage it happened in."""

    @property
    def host(self) -> str:
        """The host it happened on."""

    @property
    def task(self) -> str:
        """The Ansible task it happened in."""

    @property
    def attempt(self) -> int:
        """The supervisor's attempt at the stage, from 1."""

    @property
    def data(self) -> Document:
        """What belongs to the kind."""


@dataclass(frozen=True)
class Event:
    """A stored event; it is a SpoolEvent itself."""

    run_id: str
    seq: int
    time: float
    kind: str
    stage: str = ""
    host: str = ""
    task: str = ""
    attempt: int = 0
    data: Document = field(default_factory=dict)


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    ``inserted`` events are new, ``repeated`` ones were there already. ``missing`` counts the numbers
    left out between stored events. ``unapplied`` lists the numbers of events that are stored but
    contradict the state of their step (a done step that starts again); the step keeps its state.
    """

    inserted: int
    repeated: int
    missing: int
    unapplied: tuple[int, ...]
    spool_offset: int
