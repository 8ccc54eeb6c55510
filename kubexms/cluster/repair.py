# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes refused parts out of a document, so that the rules can judge the rest in the same run."""

import json
from collections.abc import Iterable
from typing import Any

from kubexms.cluster.introspect import keys_of, section_at
from kubexms.cluster.places import Path

_HOST = {"name": "placeholder", "address": "192.0.2.1"}
_PLACEHOLDERS: dict[str, Any] = {
    "apiVersion": "kubexms.io/v1alpha1",
    "kind": "Cluster",
    "metadata": {"name": "placeholder"},
    "spec": {"hosts": [_HOST], "roleGroups": {}},
    "spec.hosts": [_HOST],
    "spec.hosts[].name": _HOST["name"],
    "spec.hosts[].address": _HOST["address"],
    "spec.roleGroups": {},
}
"""What stands in for required parts; rules that read one of these are not asked."""


def without(data: Any, paths: Iterable[Path]) -> tuple[dict[str, Any], frozenset[Path]]:
    """Return a copy of the document without the values at ``paths``, and the paths that are gone.

    A required key takes the section around it with it.
    """
    copy = json.loads(json.dumps(data)) if isinstance(data, dict) else {}
    gone = {_removable(path) for path in paths} if isinstance(data, dict) else {(key,) for key in _ROOT}
    for path in sorted(gone, key=_last_items_first):
        _remove(copy, path)
    return copy, frozenset(gone)


_ROOT = ("apiVersion", "kind", "metadata", "spec")


def _removable(path: Path) -> Path:
    """Return the smallest part around a path that the document can do without."""
    while len(path) > 1 and pattern_of(path) not in _PLACEHOLDERS:
        if isinstance(path[-1], int):
            return path
        section = section_at(path[:-1])
        info = keys_of(section).get(path[-1]) if section else None
        if info is None or not info.is_required():
            return path
        path = path[:-1]
    return path


def _last_items_first(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key by which items of a list are removed from its end, and inner parts before outer ones."""
    return (*((0, -part) if isinstance(part, int) else (1, part) for part in path), (2, 0))


def _remove(data: dict[str, Any], path: Path) -> None:
    parent: Any = data
    for part in path[:-1]:
        present = part < len(parent) if isinstance(part, int) else part in parent
        if not present:
            return
        parent = parent[part]
    last = path[-1]
    pattern = pattern_of(path)
    if pattern in _PLACEHOLDERS:
        parent[last] = json.loads(json.dumps(_PLACEHOLDERS[pattern]))
    elif isinstance(last, int):
        del parent[last]
    else:
        parent.pop(last, None)


def pattern_of(path: Path) -> str:
    """Return a path as rules and limits write it: ``spec.hosts[].name`` for any host."""
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def touches(gone: frozenset[Path], reads: str) -> bool:
    """Say whether any removed part is, holds or lies in what a rule reads, such as ``spec.hosts[].name``."""
    pattern = reads.replace("[]", ".[]").split(".")
    return any(
        all(
            wanted == ("[]" if isinstance(part, int) else part)
            for wanted, part in zip(pattern, path, strict=False)
        )
        for path in gone
    )
