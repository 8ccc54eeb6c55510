# SPDX-License-Identifier: GPL-3.0-or-later
"""The first source: what the cache already has."""

from collections.abc import Sequence

from kubexms.artifacts.cache import Cache, Entry
from kubexms.artifacts.sources import Desk, Outcome, Wanted
from kubexms.context import Context


class CacheSource:
    """Finds names in the cache's index, and pinned blobs by their digest.

    A cached file that is not the pinned one is no error: caches are shared by clusters whose locks pin
    different builds of one version.
    """

    label = "cache"

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Look every item up; reads no blob unless its size or mtime changed since it was recorded."""
        outcome = Outcome()
        for one in wanted:
            entry = _find(ctx, one, desk.cache)
            if entry is None:
                outcome.missing[one.item] = "not there"
            else:
                outcome.found[one.item] = entry
        return outcome


def _find(ctx: Context, wanted: Wanted, cache: Cache) -> Entry | None:
    entry = cache.lookup(ctx, wanted.item.name)
    if entry is not None and wanted.sha256 in {"", entry.sha256}:
        return entry
    return cache.adopt(ctx, wanted.item.name, wanted.sha256) if wanted.sha256 else None
