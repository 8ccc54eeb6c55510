# SPDX-License-Identifier: GPL-3.0-or-later
"""pydantic's errors -> problems with a place, in words that say what is wrong and what is allowed.

Values that were refused are never repeated: one of them may be a secret at the wrong place.
"""

from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from kubexms.cluster.introspect import keys_of, section_at
from kubexms.cluster.places import Path, Places, dotted
from kubexms.cluster.types import ALLOWED
from kubexms.cluster.words import did_you_mean
from kubexms.errors import Problem

_SECRET = ("a secret's value must not stand in this file", "a reference: {env: NAME} or {file: PATH}")
_MESSAGES: dict[str, tuple[str, str]] = {
    "missing": ("is missing", "required"),
    "string_type": ("is not a text", "quotes make a text of it"),
    "int_type": ("is not a number", "a whole number without quotes"),
    "bool_type": ("is neither true nor false", "true or false without quotes"),
    "model_type": ("is not a mapping", "key: value"),
    "dict_type": ("is not a mapping", "key: value"),
    "tuple_type": ("is not a list", "a list: [..], or lines that begin with '-'"),
    "literal_error": ("is not one of the allowed values", "{expected}"),
    "greater_than_equal": ("is too small", "at least {ge}"),
    "less_than_equal": ("is too large", "at most {le}"),
    "string_too_short": ("is too short", "at least {min_length} characters"),
    "string_too_long": ("is too long", "at most {max_length} characters"),
    "too_short": ("has too few items", "at least {min_length}"),
    "too_long": ("has too many items", "at most {max_length}"),
}


def translate(errors: Iterable[ErrorDetails], data: Any, places: Places) -> list[tuple[Path, Problem]]:
    """Return path and problem of every error of one validation of ``data``.

    A value that may be of several types has an error for each at one path; the one about a value of
    the right type is kept.
    """
    found: dict[tuple[Path, bool], tuple[str, str]] = {}
    for error in errors:
        path = document_path(error["loc"], data)
        if error["type"] == "missing":
            path = (*path, str(error["loc"][-1]))
        if error["type"] == "too_short" and value_at(data, path):
            continue  # its items were refused, each with an error of its own
        at_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
        message, hint = _words(error, path, at_key=at_key)
        before = found.get((path, at_key))
        if before is None or not error["type"].endswith("_type"):
            found[path, at_key] = (message, hint)
    return [
        (path, places.problem(path, message, hint, at_key=at_key))
        for (path, at_key), (message, hint) in found.items()
    ]


def document_path(location: tuple[int | str, ...], data: Any) -> Path:
    """Return the part of pydantic's location that exists in the document, without its marks for types."""
    path: list[int | str] = []
    for part in location:
        inside = part < len(data) if isinstance(data, list) and isinstance(part, int) else False
        if inside or (isinstance(data, dict) and part in data):
            data = data[part]
            path.append(part)
    return tuple(path)


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path that :func:`document_path` gave."""
    for part in path:
        data = data[part]
    return data


def _words(error: ErrorDetails, path: Path, *, at_key: bool) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", _near_or_all(path)
    if kind == "string_pattern_mismatch":
        what = "the key has a form that is not allowed" if at_key else "has a form that is not allowed"
        return what, ALLOWED.get(context["pattern"], context["pattern"])
    if kind == "model_type" and context.get("class_name") == "SecretRef":
        return _SECRET
    if kind == "refused":
        return context["message"], context["hint"]
    message, hint = _MESSAGES.get(kind, (f"is not valid ({kind})", "see docs/cluster-yaml.md"))
    return message, hint.format(**context)


def _near_or_all(path: Path) -> str:
    section = section_at(path[:-1])
    known = list(keys_of(section)) if section else []
    if near := did_you_mean(str(path[-1]), known):
        return near
    where = dotted(path[:-1])
    return f"allowed in {where}: {', '.join(known)}" if where else f"allowed: {', '.join(known)}"
