# SPDX-License-Identifier: GPL-3.0-or-later
"""Where files come from, tried in order: cache, directory, mirror, publisher, build."""

from collections.abc import Mapping, Sequence
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

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], cache: Cache, progress: Progress) -> Outcome:
        """Store what this source has of ``wanted`` in the cache; every wanted item is found or missing."""


def fetch_all(
    ctx: Context, wanted: Sequence[Wanted], sources: Sequence[Source], cache: Cache, progress: Progress
) -> dict[Item, Entry]:
    """Get every wanted file from the first source that has it; raise ArtifactFailed naming all that none has."""
    found: dict[Item, Entry] = {}
    reasons: dict[Item, list[str]] = {one.item: [] for one in wanted}
    for source in sources:
        left = [one for one in wanted if one.item not in found]
        if not left:
            break
        outcome = source.fetch(ctx, left, cache, progress)
        found.update(outcome.found)
        for item, reason in outcome.missing.items():
            reasons[item].append(f"{source.label}: {reason}")
    _require_all(wanted, found, reasons)
    return found


def _require_all(
    wanted: Sequence[Wanted], found: Mapping[Item, Entry], reasons: Mapping[Item, list[str]]
) -> None:
    absent = [one.item for one in wanted if one.item not in found]
    if not absent:
        return
    lines = [f"{item.name} ({'; '.join(reasons[item]) or 'no source'})" for item in absent]
    raise ArtifactFailed(
        f"{len(absent)} of {len(wanted)} files are in no source: " + ", ".join(lines),
        hint="set KUBEXMS_ARTIFACT_DIRECTORY or KUBEXMS_ARTIFACT_MIRROR, or install Go to build them",
    )
