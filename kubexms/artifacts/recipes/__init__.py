# SPDX-License-Identifier: GPL-3.0-or-later
"""How components are built where nobody has them ready: a folder per component and version.

``recipe.yaml`` says what to build and how; Go recipes have a locked go.mod and go.sum beside it. The
kinds of recipes (``go``, ``c``, ``debian``) are modules here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from kubexms.artifacts.catalogue import read_yaml
from kubexms.artifacts.model import Architecture, Item
from kubexms.artifacts.progress import Progress
from kubexms.context import Context

RECIPES = Path(__file__).parent

_Recipe = TypeVar("_Recipe", bound=BaseModel)


@dataclass(frozen=True)
class Job:
    """What is to be built: items of one component, version and architecture, from the recipe in ``folder``.

    Each item's file is to be left at ``target(item)``, below the empty folder ``scratch``.
    """

    items: tuple[Item, ...]
    folder: Path
    scratch: Path
    progress: Progress

    @property
    def arch(self) -> Architecture:
        """Return the architecture to build for."""
        return self.items[0].arch

    @property
    def what(self) -> str:
        """Return what is built, for messages."""
        return f"build {self.items[0].component} {self.items[0].version} for {self.arch}"

    def target(self, item: Item) -> Path:
        """Return where an item's file has to be in the end."""
        return self.scratch / item.file

    def recipe(self, kind: type[_Recipe]) -> _Recipe:
        """Return the recipe."""
        return kind.model_validate(read_yaml((self.folder / "recipe.yaml").read_text(encoding="utf-8")))


Builder = Callable[[Context, Job], str]
"""Builds a job and returns what built it, for the lock file; raises NotSupported where tools are missing."""


def builders() -> Mapping[str, Builder]:
    """Return the builder of each kind of recipe."""
    from kubexms.artifacts.recipes import c, debian, go  # noqa: PLC0415 - they import Job from here

    return {"c": c.build, "debian": debian.build, "go": go.build}
