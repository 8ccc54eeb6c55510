# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that were changed at random are valid or refused; nothing else ever happens."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kubexms.cluster import Loaded, parse
from kubexms.errors import ValidationFailed

ROOT = Path(__file__).resolve().parents[3]
SEEDS = [
    path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("inventories/*/cluster.yaml")), ROOT / "kubexms" / "cli" / "init.yaml")
]
DATA = [yaml.safe_load(text) for text in SEEDS]
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 22, 65536, 10**17, 1.5, "", " ", "a", "-a", "--all", "x" * 5000, "a\nb",
    "a\x00b", "é", "\u202e", "{{ x }}", "${HOME}", "$(id)", "`id`", "'", '"', "%", "\\", "..",
    "../../etc/passwd", "~root/x", "localhost", "127.0.0.1", "0.0.0.0", "999.1.1.1", "10.0.0.1", "::1",
    "fe80::1%eth0", "10.0.0.0/8", "10.0.0.0/33", "fd00::/8", "1.1.1.1/0,::/0", "node1", "node[1:3]",
    "node[3:1]", "node[1:99999999]", "node[", "[1:2]", "v1.36.3", "1.36", "v99.0.0", "100%", "0%", "[[[",
    "a = [", "https://u:p@h", "http://", "1e999", "0x10", "yes", "~", [], {}, [None], [[]], [{}],
    {"": ""}, {"a": None}, {"env": "A"}, {"env": "A", "file": "b"}, {"a": {"b": {"c": {}}}},
    ["node1", "node1"],
]  # fmt: skip
ODD_TEXTS = [
    "\n", "\t", " ", ":", "- ", "#", "'", '"', "[", "]", "{", "}", "&a ", "*a", "!!x ", "!", "|", ">",
    "%", "@", "`", "---\n", "...\n", "<<: ", "? ", "\\", "\x00", "\x1b", "\ufeff", "\u2028", "é",
    "\U0001f600", "0", "9" * 30, "a: b\n", "\r", "\r\n",
]  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Change the text of a seed at up to three places: insert, delete, repeat, swap."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 5, 20, 200]))
        odd = draw(st.sampled_from([*ODD_TEXTS, "", text[start:end] * 2, text[start:end][::-1]]))
        text = text[:start] + odd + text[end:]
    return text


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Change the data of a seed at up to three places: another value, another key, gone, twice."""
    data = deepcopy(draw(st.sampled_from(DATA)))
    for _ in range(draw(st.integers(1, 3))):
        parents = list(containers(data))
        parent = parents[draw(st.integers(0, len(parents) - 1))]
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = keys[draw(st.integers(0, len(keys) - 1))]
        change(parent, key, draw(st.sampled_from(["value", "value", "rename", "delete", "repeat"])), draw)
    return yaml.dump(data, Dumper=yaml.CSafeDumper, allow_unicode=True)


def containers(data: Any) -> Any:
    """Yield every mapping and list that has something in it."""
    if isinstance(data, (dict, list)) and data:
        yield data
        for item in data.values() if isinstance(data, dict) else data:
            yield from containers(item)


def change(parent: Any, key: Any, how: str, draw: st.DrawFn) -> None:
    if how == "value" or not isinstance(parent, dict):
        parent[key] = deepcopy(draw(st.sampled_from(ODD_VALUES)))
    elif how == "rename":
        parent[f"{key}{draw(st.sampled_from(['s', ' ', '.', '_', 'é']))}"] = parent.pop(key)
    elif how == "delete":
        del parent[key]
    else:
        parent[key] = [parent[key], parent[key]]


def verdict(text: str) -> Loaded | ValidationFailed:
    """Load a text, and look at every problem: one printable line, at a place of the file."""
    try:
        return parse(text)
    except ValidationFailed as error:
        failure = error
    assert failure.problems
    end = text.count("\n") + 2
    for problem in failure.problems:
        assert str(problem).isprintable()
        assert 0 <= problem.line <= end
        assert len(str(problem)) < 2000
    return failure


FAST = settings(
    max_examples=5000,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.slow
@FAST
@given(texts())
@example("")
@example("\ud800")
def test_changed_texts(text: str) -> None:
    verdict(text)


@pytest.mark.slow
@FAST
@given(documents())
def test_changed_documents(text: str) -> None:
    verdict(text)


@settings(FAST, max_examples=300)
@given(st.binary(max_size=200))
def test_noise(content: bytes) -> None:
    verdict(content.decode("utf-8", errors="surrogateescape"))
