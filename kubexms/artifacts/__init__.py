# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes a cluster is made of: which they are, where they come from, and that they are the right ones.

``catalogue`` says what a Kubernetes release consists of, ``sources`` fetch it (directory, mirror,
publisher, build), ``cache`` keeps it by digest, ``lock`` pins it beside cluster.yaml, ``images``
assembles OCI archives from it, ``resolve`` joins these, and ``server`` hands the result to hosts.
Used by the service room; uses nothing but errors, context and settings.
"""

from kubexms.artifacts.lock import lock_path
from kubexms.artifacts.model import Architecture, FileArtifact, ImageArtifact, Needs, Role
from kubexms.artifacts.progress import Progress, Silent
from kubexms.artifacts.resolve import Resolved, resolve
from kubexms.artifacts.server import FileServer

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
