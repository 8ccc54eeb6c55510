# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe found on a host, typed. Shapes are those of the collection's ``probe`` module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One thing that is not as wanted: a path as an operator would name it, found and wanted text."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.path}: {self.after} is missing" if self.after else f"{self.path} is missing"
        return f"{self.path}: {self.before} -> {self.after}" if self.after else f"{self.path} is to go"


@dataclass(frozen=True)
class StageLook:
    """A stage's differences on a host, or the error that kept the probe from telling."""

    differences: tuple[Difference, ...] = ()
    error: str = ""
    error_code: str = ""


@dataclass(frozen=True)
class NodeView:
    """A Node as the API server shows it."""

    name: str
    ready: bool
    kubelet_version: str
    internal_address: str


@dataclass(frozen=True)
class ControlPlaneView:
    """The cluster as one control-plane host sees it."""

    healthy: bool
    error: str = ""
    nodes: tuple[NodeView, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One host, probed. ``cluster`` is the identity found on it: name, id and fixed settings."""

    host: str
    machine_id: str = ""
    boot_id: str = ""
    joined: bool = False
    is_control_plane: bool = False
    foreign: bool = False
    kubelet_version: str = ""
    cluster: Mapping[str, Any] | None = None
    control_plane: ControlPlaneView | None = None
    stages: Mapping[str, StageLook] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreachable:
    """A host that could not be probed, and why."""

    host: str
    code: str
    message: str


Look = Observation | Unreachable


def from_probe(host: str, data: Mapping[str, Any]) -> Observation:
    """Return the typed form of the ``observation`` object that the probe module returned for a host."""
    facts = data["facts"]
    kubernetes = data["kubernetes"]
    return Observation(
        host=host,
        machine_id=facts["machine_id"],
        boot_id=facts["boot_id"],
        joined=kubernetes["joined"],
        is_control_plane=kubernetes["control_plane"],
        foreign=kubernetes["foreign"],
        kubelet_version=kubernetes["kubelet_version"] or "",
        cluster=data["cluster"],
        control_plane=_control_plane(data["control_plane"]),
        stages={name: _stage(found) for name, found in data["stages"].items()},
        facts=facts,
    )


def _control_plane(data: Mapping[str, Any] | None) -> ControlPlaneView | None:
    if data is None:
        return None
    nodes = tuple(
        NodeView(node["name"], node["ready"], node["kubelet_version"], node["internal_address"])
        for node in data["nodes"]
    )
    return ControlPlaneView(data["healthy"], data["error"] or "", nodes)


def _stage(data: Mapping[str, Any]) -> StageLook:
    error = data["error"] or {}
    return StageLook(
        tuple(Difference(item["path"], item["before"], item["after"]) for item in data["differences"]),
        error.get("msg", ""),
        error.get("code", ""),
    )
