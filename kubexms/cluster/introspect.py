# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the models: which keys a section has, and which section stands at a path."""

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from kubexms.cluster.base import Section
from kubexms.cluster.cluster import Cluster
from kubexms.cluster.places import Path


@cache
def keys_of(section: type[Section]) -> dict[str, FieldInfo]:
    """Return the fields of a section by their key in the file, in the order of the model."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


@cache
def attributes_of(section: type[Section]) -> dict[str, str]:
    """Return the Python attribute of each key of a section."""
    return {info.alias or name: name for name, info in section.model_fields.items()}


def value_and_default(section: Section, key: str) -> tuple[Any, Any]:
    """Return what a section has for a key of the file, and what it has when the key is left out."""
    attribute = attributes_of(type(section))[key]
    info = type(section).model_fields[attribute]
    return getattr(section, attribute), info.get_default(call_default_factory=True)


def section_at(path: Path) -> type[Section] | None:
    """Return the section that a path into the document leads to, or None where there is none."""
    found: type[Section] | None = Cluster
    for part in path:
        if isinstance(part, int):
            continue
        info = keys_of(found).get(part) if found else None
        found = section_of(info) if info else None
    return found


def section_of(info: FieldInfo) -> type[Section] | None:
    """Return the section that a field holds, itself or in a list, or None."""
    return next(_sections(info.annotation), None)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, Annotated, tuple):
        for part in get_args(annotation):
            yield from _sections(part)
