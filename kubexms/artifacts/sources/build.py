# SPDX-License-Identifier: GPL-3.0-or-later
"""The last source: built on this machine by the recipes that ship with the package."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from kubexms.artifacts.cache import Cache, Entry, read_chunks
from kubexms.artifacts.catalogue import Selection
from kubexms.artifacts.images import base
from kubexms.artifacts.model import Item
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.sources import Outcome, Wanted
from kubexms.context import Context
from kubexms.errors import NotSupported

RECIPES = Path(__file__).parent.parent / "recipes"

Builder = Callable[[Context, Item, Path, Path, Progress], str]
BUILDERS: dict[str, Builder] = {"debian": base.build}


class BuildSource:
    """Builds what no other source has, where the tools for it are installed."""

    label = "build"

    def __init__(self, selection: Selection, recipes: Path = RECIPES) -> None:
        self.selection = selection
        self.recipes = recipes

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], cache: Cache, progress: Progress) -> Outcome:
        """Build each wanted file; one whose recipe or tools are missing is reported, not raised."""
        outcome = Outcome()
        for one in wanted:
            try:
                outcome.found[one.item] = self._build(ctx, one, cache, progress)
            except NotSupported as cause:
                outcome.missing[one.item] = cause.message
        return outcome

    def _build(self, ctx: Context, one: Wanted, cache: Cache, progress: Progress) -> Entry:
        item = one.item
        kind = self.selection.components[item.component].build
        folder = self.recipes / item.component / item.version
        if kind not in BUILDERS or not folder.is_dir():
            raise NotSupported(f"no recipe builds {item.component} {item.version}")
        cache.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.partial) as scratch:
            target = Path(scratch) / item.file
            maker = BUILDERS[kind](ctx, item, folder, target, progress)
            source = f"build ({maker})"
            return cache.add(ctx, read_chunks(target), name=item.name, source=source, expected=one.sha256)
