# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema, the reference page made from it, and the promises that every field keeps."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from kubexms.cluster import SUPPORTED_VERSIONS
from kubexms.cluster.components import (
    KUBE_PROXY_FIELDS,
    KUBELET_FIELDS,
    OWNED_KUBE_PROXY_FIELDS,
    OWNED_KUBELET_FIELDS,
    instead_of,
)
from kubexms.cluster.introspect import keys_of, section_at
from kubexms.cluster.limits import LIMITS
from kubexms.cluster.reference import markdown
from kubexms.cluster.rules import RULES
from kubexms.cluster.schema import json_schema
from kubexms.cluster.types import ALLOWED, FLAG_VALUE, LINE, SYSCTL_VALUE

ROOT = Path(__file__).resolve().parents[3]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a schema."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def patterns() -> set[str]:
    found = {node["pattern"] for node in nodes(json_schema()) if isinstance(node.get("pattern"), str)}
    return found | {key for node in nodes(json_schema()) for key in node.get("patternProperties", ())}


def test_every_section_refuses_unknown_keys() -> None:
    sections = [node for node in nodes(json_schema()) if "properties" in node]
    assert len(sections) > 30
    assert all(section["additionalProperties"] is False for section in sections)


def test_every_field_says_what_it_is() -> None:
    definitions = json_schema()["$defs"]
    for section in (json_schema(), *definitions.values()):
        for key, field in section.get("properties", {}).items():
            named = definitions.get(str(field.get("$ref", "")).rpartition("/")[2], {})
            assert field.get("description") or named.get("description"), key


def test_every_pattern_is_explained_and_every_explanation_is_used() -> None:
    assert patterns() == set(ALLOWED)


@pytest.mark.parametrize("pattern", sorted(ALLOWED))
def test_no_pattern_lets_a_line_break_or_an_option_through(pattern: str) -> None:
    """Texts reach files and programs on hosts; free ones are never arguments of their own."""
    for text in ("a\nb", "a\n", "\n", "a\x00", "a\x7f", "a\r"):
        assert not accepts(pattern, text), text
    if pattern not in {LINE, FLAG_VALUE, SYSCTL_VALUE}:
        assert not accepts(pattern, "-oProxyCommand=x")
        assert not accepts(pattern, "--x")


def accepts(pattern: str, text: str) -> bool:
    try:
        TypeAdapter(Annotated[str, Field(pattern=pattern)]).validate_python(text)
    except ValidationError:
        return False
    return True


def test_every_path_of_the_tables_exists() -> None:
    paths = {limit.path for limit in LIMITS} | {reads for rule in RULES for reads in rule.reads}
    for path in paths:
        *parents, key = path.replace("[]", "").split(".")
        section = section_at(tuple(parents))
        assert section is not None, path
        assert key in keys_of(section), path


def test_every_list_of_component_fields_is_consistent() -> None:
    for fields, owned in (
        (KUBELET_FIELDS, OWNED_KUBELET_FIELDS),
        (KUBE_PROXY_FIELDS, OWNED_KUBE_PROXY_FIELDS),
    ):
        assert {name for entry in owned for name in entry.names} <= fields
    assert instead_of("maxPods", OWNED_KUBELET_FIELDS) is None
    kubelet = set(keys_of(section_of("spec.kubernetes.kubelet"))) - {"extraArgs", "configuration"}
    assert kubelet <= KUBELET_FIELDS


def section_of(path: str) -> Any:
    return section_at(tuple(path.split(".")))


def test_the_default_version_is_the_newest_supported_one() -> None:
    assert section_of("spec.kubernetes").model_fields["version"].default == SUPPORTED_VERSIONS[0]
    assert list(SUPPORTED_VERSIONS) == sorted(SUPPORTED_VERSIONS, reverse=True)


def test_the_reference_page_is_up_to_date() -> None:
    """Write it with: kubexms schema --markdown > docs/cluster-yaml.md."""
    assert (ROOT / "docs" / "cluster-yaml.md").read_text(encoding="utf-8") == markdown()


def test_the_reference_page_has_every_field_and_no_dead_link() -> None:
    page = markdown()
    definitions = json_schema()["$defs"]
    for section in definitions.values():
        assert all(f"| `{key}` |" in page for key in section.get("properties", ()))
    headings = {
        "".join(c for c in line[3:].lower() if c.isalnum() or c == "-")
        for line in page.splitlines()
        if line.startswith("## ")
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links <= headings
    assert len(links) > 30


def test_the_schema_is_not_made_for_one_program() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Cluster kubexms.io/v1alpha1"
    assert schema["required"] == ["apiVersion", "kind", "metadata", "spec"]
