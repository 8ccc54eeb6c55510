# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference page docs/cluster-yaml.md, made from the models so that it cannot be wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubexms.cluster.limits import LIMITS, limit_of
from kubexms.cluster.schema import json_schema
from kubexms.cluster.types import ALLOWED

_INTRODUCTION = """\
# cluster.yaml

This page is made by `kubexms schema --markdown`; `kubexms init` writes a file to start from.

One file says what a cluster shall be. `kubexms validate FILE` reports everything that is wrong with it
at once, as `file:line:column path: what is wrong; what is allowed`, and exits 3; no host is touched.

- Every section and every key with a default may be left out. A key without a value has its default.
- Unknown keys, keys that stand twice and values of another type are errors. Numbers are decimal, `true`
  and `false` are the only truth values (`no` is a text), and texts that look like one need quotes.
- Secrets are never written here. `{env: NAME}` names an environment variable of the controller,
  `{file: PATH}` a file on it.
- Paths of files are relative to the directory of cluster.yaml, or absolute, or begin with `~/`.
- One document in UTF-8, at most 4 MiB. Anchors and aliases work; tags, merge keys (`<<`), template
  expressions (`{{`, `{%`, `{#`) and control characters are refused.
- What is marked *Not yet*, or has values besides those *supported today*, is part of the format and
  refused until it is built.
"""


@dataclass(frozen=True)
class _Row:
    key: str
    value: str
    default: str
    description: str


def markdown() -> str:
    """Return the page: every field with its values, default, meaning, and whether it is supported."""
    schema = json_schema()
    parts = [_INTRODUCTION, *_section("", schema, schema["$defs"]), _limits()]
    return "\n".join(parts)


def _section(path: str, section: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Yield the table of a section, and those of the sections in it."""
    title = path or "The document"
    rows, inner = [], []
    for key, field in section["properties"].items():
        here = f"{path}.{key}" if path else key
        nested, where = _nested(field, here, definitions)
        required = key in section.get("required", ())
        described = {"description": nested.get("description", "")} | field if nested else field
        rows.append(_row(key, described, here, required=required, nested=where if nested else ""))
        if nested:
            inner.append((where, nested))
    yield _table(title, section.get("description", ""), rows)
    for where, nested in inner:
        yield from _section(where, nested, definitions)


def _nested(
    field: dict[str, Any], path: str, definitions: dict[str, Any]
) -> tuple[dict[str, Any] | None, str]:
    """Return the section that a field holds, or None, and its path: that of an item for a list."""
    if field.get("type") == "array":
        field, path = field["items"], f"{path}[]"
    for option in (field, *field.get("anyOf", ())):
        if name := option.get("$ref"):
            return definitions[name.rpartition("/")[2]], path
    return None, path


def _row(key: str, field: dict[str, Any], path: str, *, required: bool, nested: str) -> _Row:
    limit = limit_of(path)
    description = field.get("description", "")
    if limit:
        description += f" *Supported today: {limit.supported}.*" if limit.supported else " *Not yet.*"
    if nested:
        value = f"list of [{nested}](#{_anchor(nested)})" if nested.endswith("[]") else _link(nested)
        return _Row(key, value, "required" if required else "", description)
    if required:
        default = "required"
    else:
        default = "" if field.get("default") in (None, [], "") else f"`{json.dumps(field['default'])}`"
    return _Row(key, _value(field), default, description)


def _link(path: str) -> str:
    return f"[{path}](#{_anchor(path)})"


def _anchor(path: str) -> str:
    """Return the anchor that Markdown renderers make of a heading."""
    return "".join(c for c in path.lower() if c.isalnum() or c == "-")


def _value(field: dict[str, Any]) -> str:
    """Return what a field may have, in words."""
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    return " or ".join(_plain(option) for option in options)


def _plain(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    words = _WORDS.get(field.get("type", ""))
    return words(field) if words else "any value"


def _number(field: dict[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    return f"number from {low} to {high}" if high is not None else f"number of at least {low}"


def _keys(field: dict[str, Any]) -> str:
    pattern = next(iter(field.get("patternProperties", ())), None)
    pattern = pattern or field.get("propertyNames", {}).get("pattern", "")
    return ALLOWED.get(pattern, "text")


def _mapped(field: dict[str, Any]) -> str:
    values = next(iter(field.get("patternProperties", {}).values()), field.get("additionalProperties"))
    return _plain(values) if isinstance(values, dict) else "any value"


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "array": lambda field: f"list of: {_plain(field['items'])}",
    "boolean": lambda _: "true or false",
    "integer": _number,
    "object": lambda field: f"keys: {_keys(field)}; values: {_mapped(field)}",
    "string": lambda field: ALLOWED.get(field.get("pattern", ""), "text"),
}
"""How values of each JSON type are described."""


def _table(title: str, description: str, rows: list[_Row]) -> str:
    lines = [f"## {title}", "", " ".join(description.split()), ""]
    lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for row in rows:
        cells = (f"`{row.key}`", row.value, row.default, row.description)
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _limits() -> str:
    lines = ["## Not supported yet", "", "| field | supported today |", "| --- | --- |"]
    lines += [f"| `{limit.path}` | {limit.supported or 'leave it out'} |" for limit in LIMITS]
    return "\n".join([*lines, ""])
