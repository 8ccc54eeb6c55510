# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML: values, places, and bounds that no file gets past."""

import time
from contextlib import suppress
from typing import Any

import pytest

from kubexms.cluster.places import Places, dotted, quoted
from kubexms.cluster.reader import MAX_DEPTH, MAX_ITEMS, MAX_NODES, MAX_PROBLEMS, read
from kubexms.errors import ValidationFailed


def refusal(text: str) -> str:
    with pytest.raises(ValidationFailed) as caught:
        read(text, "f")
    return str(caught.value.problems[-1])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+7", 7),
        ("0", 0),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:20", "1:20"),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, "9" * 19),
        ("1.5", 1.5),
        ("1.5e3", 1500.0),
        ("1e3", "1e3"),
        ("1.0e999", "1.0e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("off", "off"),
        ("~", None),
        ("null", None),
        ("''", ""),
        ("'1'", "1"),
        ("'true'", "true"),
        ("!!str 1", "1"),
        ("2026-01-01", "2026-01-01"),
        ("=", "="),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
        ("{1: a, true: b, null: c}", {"1": "a", "true": "b", "null": "c"}),
        ("&x [1, 2]", [1, 2]),
    ],
)
def test_a_value_has_the_type_of_the_core_schema(text: str, value: Any) -> None:
    document = read(f"k: {text}", "f")
    assert document.data == {"k": value}
    assert type(document.data["k"]) is type(value)
    assert document.problems == []


def test_an_alias_is_what_its_anchor_is() -> None:
    document = read("a: &x {b: [1]}\nc: *x\nd: *x\n", "f")
    assert document.data == {"a": {"b": [1]}, "c": {"b": [1]}, "d": {"b": [1]}}


def test_scalars_stand_where_they_begin_and_sections_at_their_key() -> None:
    places = read("a:\n  b: 1\n  c:\n    - x\n    - {y: z}\n", "f").places
    assert places.values == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", "b"): (2, 6),
        ("a", "c"): (3, 3),
        ("a", "c", 0): (4, 7),
        ("a", "c", 1): (5, 7),
        ("a", "c", 1, "y"): (5, 11),
    }
    assert places.keys[("a", "c", 1, "y")] == (5, 8)


def test_what_has_no_place_stands_at_its_parent() -> None:
    places = Places("f", {(): (1, 1), ("a",): (2, 3)}, {})
    assert str(places.problem(("a", "b", 0), "m", "h")) == "f:2:3 a.b[0]: m; h"
    assert str(places.problem(("z",), "m", at_key=True)) == "f:1:1 z: m"


def test_a_path_is_written_as_people_do() -> None:
    assert dotted(("spec", "hosts", 2, "labels", "a.b/c")) == 'spec.hosts[2].labels["a.b/c"]'
    assert dotted((0, "a b")) == '[0]["a b"]'


def test_a_key_of_the_user_cannot_steer_the_terminal() -> None:
    assert quoted("a\x1b[31m\u202e") == '"a\\x1b[31m\\x202e"'
    assert len(quoted("x" * 10000)) < 120


def test_depth_is_bounded() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f").problems == []
    assert "nested too deeply" in refusal("[" * 100_000)
    assert "nested too deeply" in refusal(
        "".join("  " * n + f"k{n}:\n" for n in range(1000)) + "  " * 1000 + "x"
    )
    assert "nested too deeply" in refusal("- " * 5000)


def test_depth_after_expansion_is_bounded() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 600))
    assert f"f:{MAX_DEPTH}:" in refusal(chain)
    assert "nested too deeply" in refusal(chain)


def test_size_after_expansion_is_bounded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
    )
    assert f"at most {MAX_NODES}" in refusal(bomb)
    assert f"at most {MAX_NODES}" in refusal(("-" + " - a\n " * 4_000 + "\n") * 63)
    assert f"at most {MAX_ITEMS}" in refusal("- a\n" * (MAX_ITEMS + 1))
    assert f"at most {MAX_ITEMS}" in refusal("".join(f"k{n}: a\n" for n in range(MAX_ITEMS + 1)))


def test_problems_of_reading_are_bounded() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read("a: 1\n" * 5000, "f")
    assert len(caught.value.problems) == MAX_PROBLEMS + 1


def test_the_largest_mapping_and_list_are_read() -> None:
    assert len(read("- a\n" * MAX_ITEMS, "f").data) == MAX_ITEMS
    assert len(read("".join(f"k{n}: a\n" for n in range(MAX_ITEMS)), "f").data) == MAX_ITEMS


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 2_000_000,
        "a: '" + "x" * 4_000_000,
        '"' * 2_000_001,
        "{" * 2_000_000,
        "? " * 1_000_000,
        "a: &" + "b" * 3_000_000 + " c",
        "!" * 3_000_000,
        "#" * 4_000_000,
        "- a\n" * 1_000_000,
        "".join(f"k{n}: {n}\n" for n in range(300_000)),
        "a: |\n" + " x\n" * 1_000_000,
    ],
    ids=lambda text: text[:6],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    with suppress(ValidationFailed):
        read(text, "f")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f:1:1: the file is empty"),
        ("# only words\n", "f:1:1: the file is empty"),
        ("---\n...\n", "f:1:1: the file is empty"),
        ("null\n", "f:1:1: the file is empty"),
        ("a: b\n---\nc: d\n", "f:2:1: a second document"),
        ("a: b\n...\n%YAML 9.9\n---\n", "f:3:1: not valid YAML"),
        ("a: [", "not valid YAML"),
        ("a: b\n c: d", "f:2:3: not valid YAML"),
        ("a: *b", 'f:1:4: the anchor "b" is not complete'),
        ("a: '\\x", "not valid YAML"),
        ('a: "\\ud800"', "not valid YAML"),
        ("a\x00b: c", "f:1:2: control characters"),
        ("a: b\nc: \x7f", "f:2:4: control characters"),
        ("a: \ud800", "f:1:4: control characters"),
        ("a: b\u2028c", "f:1:5: control characters"),
        ("\ufeffa: b", "f:1:1: control characters"),
    ],
)
def test_what_cannot_be_read_is_one_problem(text: str, said: str) -> None:
    assert said in refusal(text)
