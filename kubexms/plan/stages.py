# SPDX-License-Identifier: GPL-3.0-or-later
"""The literal list of stages: the table of contents of what a run does, in order.

A stage has one playbook of the same name in the collection, one variable that holds what its module
needs, and runs at most once per host in a run. Which hosts need it is the planner's to say.
"""

from dataclasses import dataclass
from enum import Enum


class Scope(Enum):
    """Which hosts a stage can ever run on."""

    EVERY_HOST = "every host"
    FIRST_CONTROL_PLANE = "the first control-plane host of a new cluster"
    DELEGATE = "one healthy control-plane host, for the whole cluster"
    JOINING = "hosts that join"
    CONTROL_PLANE = "control-plane hosts that have joined, one at a time"


@dataclass(frozen=True)
class Retry:
    """How often a stage is tried on a host, and how long to wait between: delay, delay*backoff, ..."""

    attempts: int = 2
    delay_seconds: float = 2.0
    backoff: float = 2.0


@dataclass(frozen=True)
class Stage:
    """One stage. ``timeout_seconds`` bounds one attempt on all its hosts."""

    name: str
    title: str
    variable: str
    scope: Scope
    timeout_seconds: int
    retry: Retry = Retry()
    disruptive: bool = False  # restarts something that runs workloads or serves the API


STAGES: tuple[Stage, ...] = (
    Stage("host", "prepare the host", "kubexms_host", Scope.EVERY_HOST, 600, Retry(3)),
    Stage("files", "place binaries", "kubexms_files", Scope.EVERY_HOST, 1200, Retry(3)),
    Stage("runtime", "run containerd", "kubexms_runtime", Scope.EVERY_HOST, 300, disruptive=True),
    Stage("images", "import images", "kubexms_images", Scope.EVERY_HOST, 1200, Retry(3)),
    Stage("kubelet", "configure the kubelet", "kubexms_kubelet", Scope.EVERY_HOST, 300, disruptive=True),
    Stage("init", "start the first control plane", "kubexms_kubeadm", Scope.FIRST_CONTROL_PLANE, 600),
    Stage("addons", "apply network, kube-proxy and DNS", "kubexms_addons", Scope.DELEGATE, 300, Retry(3)),
    Stage("join", "join the cluster", "kubexms_kubeadm", Scope.JOINING, 900),
    Stage(
        "control-plane",
        "reconfigure the control plane",
        "kubexms_kubeadm",
        Scope.CONTROL_PLANE,
        600,
        disruptive=True,
    ),
    Stage("nodes", "label, taint and await nodes", "kubexms_nodes", Scope.DELEGATE, 600),
)

BY_NAME = {stage.name: stage for stage in STAGES}

PREPARATION = tuple(stage for stage in STAGES if stage.scope is Scope.EVERY_HOST)
"""The stages that every host passes before it is part of a cluster."""

PROBE = Stage("probe", "look at the host", "", Scope.EVERY_HOST, 120, Retry(1))
RESET = Stage("reset", "leave the host as it was", "kubexms_reset", Scope.EVERY_HOST, 600)


def position(name: str) -> int:
    """Return where a stage stands in the order; probe and reset stand outside it."""
    return next(index for index, stage in enumerate(STAGES) if stage.name == name)
