# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML text -> plain data and places.

A strict subset of YAML is read: one document, plain types by the YAML 1.2 core schema with decimal
numbers only (so ``no`` and ``1:20`` are texts), keys that are texts and stand once, no tags, no merge
keys. Depth and size after expansion of aliases are bounded, so that no file takes long.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Never

import yaml

from kubexms.cluster.places import Path, Places, quoted
from kubexms.errors import Problem, ValidationFailed

MAX_DEPTH = 32
MAX_NODES = 250_000
MAX_ITEMS = 5_000
MAX_PROBLEMS = 500

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,20}\.[0-9]{1,20}([eE][-+]?[0-9]{1,2})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_EMPTY = ("the file is empty", "`kubexms init` writes a file to start from")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_TEMPLATE = re.compile(r"\{[{%#]")


@dataclass
class Document:
    """What a file says, before any model has seen it. ``problems`` are those that reading found."""

    data: Any
    places: Places
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Anchor:
    """A value with a name, and how many nodes and levels it has."""

    value: Any
    nodes: int
    height: int


def read(text: str, file: str) -> Document:
    """Read one YAML document; ``file`` is the name used in problems.

    Raises ValidationFailed where the text cannot be read as one bounded YAML document.
    """
    return _Reader(text, file).document()


class _Reader:
    """Turns the parser's events into data; recursive descent with a bounded depth."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._places = Places(file)
        self._problems: list[Problem] = []
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0

    def document(self) -> Document:
        if found := _CONTROL.search(self._text):
            line = self._text.count("\n", 0, found.start())
            column = found.start() - (self._text.rfind("\n", 0, found.start()) + 1)
            self._fail((line, column), "control characters are not allowed", "plain text in UTF-8")
        self._loader = _Loader(self._text)
        try:
            data = self._whole()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line, mark.column) if mark else (0, 0)
            self._fail(place, f"not valid YAML: {_reason(error)}", "YAML 1.2")
        except yaml.YAMLError:
            self._fail((0, 0), "not valid YAML", "YAML 1.2")
        finally:
            self._loader.dispose()
        return Document(data, self._places, self._problems)

    def _whole(self) -> Any:
        self._loader.get_event()
        event = self._loader.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            self._fail((0, 0), *_EMPTY)
        data = self._value(self._loader.get_event(), (), 0)
        self._loader.get_event()
        event = self._loader.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self._fail(_mark(event), "a second document begins here", "one document in a file")
        if data is None:
            self._fail((0, 0), *_EMPTY)
        return data

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        """Return the value that begins with this event; record its place unless its key already has."""
        line, column = _mark(event)
        self._check_depth(event, depth)
        if isinstance(event, yaml.AliasEvent):
            self._places.values[path] = (line + 1, column + 1)
            return self._alias(event, depth)
        before = self._nodes
        self._count(event, 1)
        if event.tag not in _TAGS:
            self._report(
                path, (line, column), f"the tag {quoted(event.tag)} is not allowed", "YAML without tags"
            )
        if isinstance(event, yaml.ScalarEvent):
            self._places.values[path] = (line + 1, column + 1)
            value: Any = self._scalar(event, path)
        else:
            self._places.values[path] = self._places.keys.get(path, (line + 1, column + 1))
            collect = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
            value = collect(path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, self._nodes - before, _height(value))
        return value

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            mark = _mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._fail(mark, "a key must be a text", "key: value")
            key, here = event.value, (*path, event.value)
            self._count(event, 1, len(mapping))
            self._check_key(event, here, mapping)
            self._places.keys[here] = (mark[0] + 1, mark[1] + 1)
            mapping[key] = self._value(self._loader.get_event(), here, depth + 1)
        return mapping

    def _check_key(self, event: Any, path: Path, mapping: dict[str, Any]) -> None:
        key, mark = event.value, _mark(event)
        if key in mapping:
            first = self._places.keys[path][0]
            self._report(path, mark, f"the key stands twice, first in line {first}", "every key once")
        if key == "<<" and event.implicit[0]:
            self._report(path, mark, "merge keys are not allowed", "write the keys out")
        self._check_text(key, path, mark)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            self._count(event, 0, len(items))
            items.append(self._value(event, (*path, len(items)), depth + 1))
        return items

    def _scalar(self, event: Any, path: Path) -> str | int | float | bool | None:
        text: str = event.value
        if event.implicit[0]:
            if text in _WORDS:
                return _WORDS[text]
            if _INTEGER.fullmatch(text):
                return int(text)
            if _FLOAT.fullmatch(text):
                return float(text)
        self._check_text(text, path, _mark(event))
        return text

    def _check_text(self, text: str, path: Path, mark: tuple[int, int]) -> None:
        if _CONTROL.search(text):
            self._report(path, mark, "has control characters", "printable text")
        if _TEMPLATE.search(text):
            self._report(path, mark, "has a template expression", "texts without '{{', '{%' and '{#'")

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self._anchors:
            self._fail(
                _mark(event), f"the anchor {quoted(event.anchor)} is not complete here", "an anchor above"
            )
        anchor = self._anchors[event.anchor]
        self._count(event, anchor.nodes)
        self._check_depth(event, depth + anchor.height)
        return anchor.value

    def _check_depth(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._fail(_mark(event), "nested too deeply", f"at most {MAX_DEPTH} levels")

    def _count(self, event: Any, nodes: int, items: int = 0) -> None:
        self._nodes += nodes
        if items >= MAX_ITEMS:
            self._fail(_mark(event), "too many values in one list or mapping", f"at most {MAX_ITEMS}")
        if self._nodes > MAX_NODES:
            self._fail(_mark(event), "too many values", f"at most {MAX_NODES}, aliases expanded")

    def _report(self, path: Path, mark: tuple[int, int], message: str, hint: str) -> None:
        self._places.keys.setdefault(path, (mark[0] + 1, mark[1] + 1))
        problem = self._places.problem(path, message, hint)
        place = Problem(problem.file, mark[0] + 1, mark[1] + 1, problem.path, message, hint)
        self._problems.append(place)
        if len(self._problems) > MAX_PROBLEMS:
            raise ValidationFailed(self._problems)

    def _fail(self, mark: tuple[int, int], message: str, hint: str) -> Never:
        problem = Problem(self._places.file, mark[0] + 1, mark[1] + 1, "", message, hint)
        raise ValidationFailed([*self._problems, problem])


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Return what the parser did and did not like, without the text of the file."""
    return ", ".join(part for part in (error.context, error.problem) if part)


def _height(value: Any) -> int:
    """Return the levels below a value; both are bounded where the value was read."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((1 + _height(item) for item in inner), default=0)


def _mark(event: Any) -> tuple[int, int]:
    """Return line and column of an event, counted from 0."""
    return (event.start_mark.line, event.start_mark.column)
