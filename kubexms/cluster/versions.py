# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes versions that a cluster.yaml may name. The artifact catalogue has the same list."""

SUPPORTED_VERSIONS: tuple[str, ...] = ("v1.36.3", "v1.35.4")
"""Newest first, with the leading v."""

DEFAULT_VERSION = SUPPORTED_VERSIONS[0]


def normalise_version(text: str) -> str:
    """Return a version with its leading v: ``1.36.3`` and ``v1.36.3`` are ``v1.36.3``."""
    return text if text.startswith("v") else f"v{text}"
