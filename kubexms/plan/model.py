# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: steps, the segments that order them, and what the user should know."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kubexms.plan.observation import Difference, Unreachable


@dataclass(frozen=True)
class Step:
    """One stage on one host. ``digest`` identifies the input: SHA-256 of the stage's variables there."""

    stage: str
    host: str
    reason: str
    differences: tuple[Difference, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Segment:
    """Steps that one playbook run takes, stage by stage in order: (stage, hosts) pairs.

    It starts when every segment in ``after`` has ended; when one in ``needs`` lost a host, it does
    not start and its steps are blocked.
    """

    name: str
    stages: tuple[tuple[str, tuple[str, ...]], ...]
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts of the segment, each once."""
        return tuple(dict.fromkeys(host for _, hosts in self.stages for host in hosts))


@dataclass(frozen=True)
class Plan:
    """What a run will do. Empty ``steps`` means that the cluster is as the file says."""

    cluster: str
    steps: tuple[Step, ...]
    segments: tuple[Segment, ...]
    delegate: str
    is_new: bool
    unreachable: tuple[Unreachable, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do on the hosts that answered."""
        return not self.steps

    def hosts(self) -> tuple[str, ...]:
        """Return the names of the hosts that the plan touches, each once, in the order of steps."""
        return tuple(dict.fromkeys(step.host for step in self.steps))

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data for the store, the API and ``--output json``."""
        return asdict(self)


Digests = Mapping[tuple[str, str], str]
"""(stage, host) -> digest of the variables that the stage gets on that host."""
