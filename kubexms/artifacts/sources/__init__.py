# SPDX-License-Identifier: GPL-3.0-or-later
"""Where files come from, tried in order: cache, directory, mirror, publisher, build."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kubexms.artifacts.cache import Cache, Entry
from kubexms.artifacts.model import Item
from kubexms.artifacts.progress import Progress
from kubexms.context import Context
from kubexms.errors import ArtifactFailed


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is asked for; ``sha256`` is the pinned digest, empty on a first resolve."""

    item: Item
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What fetching and assembling work with: the cache they fill and whom they tell."""

    cache: Cache
    progress: Progress


@dataclass
class Outcome:
    """What one source had, and why it did not have the rest."""

    found: dict[Item, Entry] = field(default_factory=dict)
    missing: dict[Item, str] = field(default_factory=dict)


class Source(Protocol):
    """A place that may have files. What it stores is verified; a wrong digest raises DigestMismatch."""

    @property
    def label(self) -> str:
        """Return the source's name for messages and the lock file."""

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Store what this source has of ``wanted``; afterwards every one of them is found or missing."""


def fetch_all(
    ctx: Context, wanted: Sequence[Wanted], sources: Sequence[Source], desk: Desk
) -> dict[Item, Entry]:
    """Get every wanted file from the first source that has it; raise ArtifactFailed naming what none has."""
    found: dict[Item, Entry] = {}
    reasons: dict[Item, list[str]] = {one.item: [] for one in wanted}
    for source in sources:
        left = [one for one in wanted if one.item not in found]
        if not left:
            break
        outcome = source.fetch(ctx, left, desk)
        found.update(outcome.found)
        for item, reason in outcome.missing.items():
            reasons[item].append(f"{source.label}: {reason}")
    absent = {item: said for item, said in reasons.items() if item not in found}
    if absent:
        raise _absent(absent, len(wanted))
    return found


def _absent(reasons: dict[Item, list[str]], wanted: int) -> ArtifactFailed:
    """Return the error that names every absent file, files of one reason together."""
    groups: dict[str, list[str]] = {}
    for item, said in reasons.items():
        groups.setdefault("; ".join(said), []).append(item.name)
    lines = [f"{', '.join(names)} ({reason})" for reason, names in groups.items()]
    return ArtifactFailed(
        f"{len(reasons)} of {wanted} files are in no source: {'; '.join(lines)}",
        hint="set KUBEXMS_ARTIFACT_DIRECTORY or KUBEXMS_ARTIFACT_MIRROR, or install Go to build them",
    )
