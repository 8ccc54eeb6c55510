# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule finds: a path in the document, and words."""

from dataclasses import dataclass

from kubexms.cluster.places import Path


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or a warning; ``at_key`` when it is about the key and not the value."""

    path: Path
    message: str
    hint: str
    warning: bool = False
    at_key: bool = False
