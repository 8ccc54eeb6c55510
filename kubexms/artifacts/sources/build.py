# SPDX-License-Identifier: GPL-3.0-or-later
"""The last source: built on this machine by the recipes that ship with the package."""

import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from kubexms.artifacts.cache import Claim, Entry
from kubexms.artifacts.catalogue import Selection
from kubexms.artifacts.model import Item
from kubexms.artifacts.recipes import RECIPES, Job, builders
from kubexms.artifacts.sources import Desk, Outcome, Wanted
from kubexms.context import Context
from kubexms.errors import CommandFailed, DigestMismatch, NotSupported

_HINT = (
    "the lock pins what was built first; copy the cache that has it, or remove the entry from the lock file"
)


class BuildSource:
    """Builds what no other source has, where the tools for it are installed.

    A build that comes out differently from the pinned one is a DigestMismatch like any other: the lock
    pins what was built first, and its bytes have to come from the cache that has them.
    """

    label = "build"

    def __init__(self, selection: Selection, recipes: Path = RECIPES) -> None:
        self.selection = selection
        self.recipes = recipes

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Build the wanted files, those of one component in one go; a failed build is a reason, no error."""
        outcome = Outcome()
        pinned = {one.item: one.sha256 for one in wanted}
        for _, group in groupby(sorted(pinned), key=lambda item: (item.component, item.version, item.arch)):
            items = tuple(group)
            try:
                outcome.found |= self._build(ctx, items, pinned, desk)
            except (NotSupported, CommandFailed) as cause:
                outcome.missing |= dict.fromkeys(items, str(cause))
            except DigestMismatch as cause:
                cause.hint = _HINT
                raise
        return outcome

    def _build(
        self, ctx: Context, items: tuple[Item, ...], pinned: Mapping[Item, str], desk: Desk
    ) -> dict[Item, Entry]:
        component, version = items[0].component, items[0].version
        build = builders()[self.selection.components[component].build]
        folder = self.recipes / component / version
        if not (folder / "recipe.yaml").is_file():
            raise NotSupported(f"there is no recipe for {component} {version}")
        desk.cache.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=desk.cache.partial) as scratch:
            job = Job(items, folder, Path(scratch), desk.progress)
            source = f"build ({build(ctx, job)})"
            return {
                item: desk.cache.take(ctx, job.target(item), Claim(item.name, source, pinned[item]))
                for item in items
            }
