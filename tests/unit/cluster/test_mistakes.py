# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mistake of data/*.yaml with the line, the column, the place and the words that it gets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubexms.cluster.rules import RULES

TABLES = sorted((Path(__file__).parent / "data").glob("*.yaml"))
CASES: dict[str, dict[str, Any]] = {
    f"{table.stem}: {name}": case
    for table in TABLES
    for name, case in yaml.safe_load(table.read_text(encoding="utf-8")).items()
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_said(name: str, said_of: Callable[..., list[str]]) -> None:
    case = CASES[name]
    change = case["append"] if "append" in case else (case["replace"], case["by"])
    assert said_of(change) == case["said"]


def test_the_base_has_no_mistake(said_of: Callable[..., list[str]]) -> None:
    assert said_of("") == []


def test_no_secret_is_repeated() -> None:
    planted = [case for case in CASES.values() if "hunter2" in str(case.get("append"))]
    assert len(planted) == 3
    assert not any("hunter2" in line for case in planted for line in case["said"])


def test_every_rule_has_a_mistake(monkeypatch: pytest.MonkeyPatch, said_of: Callable[..., list[str]]) -> None:
    """Without any one rule, some table is no longer right."""
    for rule in RULES:
        with monkeypatch.context() as patch:
            patch.setattr("kubexms.cluster.rules.RULES", tuple(other for other in RULES if other is not rule))
            assert any(differs(case, said_of) for case in CASES.values()), rule.check.__name__


def differs(case: dict[str, Any], said_of: Callable[..., list[str]]) -> bool:
    change = case["append"] if "append" in case else (case["replace"], case["by"])
    return said_of(change) != case["said"]
