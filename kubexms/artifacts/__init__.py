# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes a cluster is made of: which they are, where they come from, and that they are the right ones.

``catalogue`` says what a Kubernetes release consists of, ``sources`` fetch it (directory, mirror,
publisher, build), ``cache`` keeps it by digest, ``lock`` pins it beside cluster.yaml, ``images``
assembles OCI archives from it, ``resolution`` joins these, and ``server`` hands the result to hosts.
Used by the service room, and by the supervisor, which imports the server alone: what is listed here is
therefore imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubexms.artifacts.lock import lock_path
    from kubexms.artifacts.model import Architecture, FileArtifact, ImageArtifact, Needs, Role
    from kubexms.artifacts.progress import Progress, Silent
    from kubexms.artifacts.resolution import Resolved, resolve
    from kubexms.artifacts.server import FileServer

_MODULES = {
    "Architecture": "model",
    "FileArtifact": "model",
    "FileServer": "server",
    "ImageArtifact": "model",
    "Needs": "model",
    "Progress": "progress",
    "Resolved": "resolution",
    "Role": "model",
    "Silent": "progress",
    "lock_path": "lock",
    "resolve": "resolution",
}

__all__ = [
    "Architecture",
    "FileArtifact",
    "FileServer",
    "ImageArtifact",
    "Needs",
    "Progress",
    "Resolved",
    "Role",
    "Silent",
    "lock_path",
    "resolve",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
