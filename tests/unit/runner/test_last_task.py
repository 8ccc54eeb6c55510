# SPDX-License-Identifier: GPL-3.0-or-later
"""Which task proves a stage done: plays as Ansible itself reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.vars.manager import VariableManager

from kubexms.runner.callback.kubexms_events import last_task

FIRST = {"name": "first", "debug": {"msg": "1"}}
LAST = {"name": "last", "debug": {"msg": "2"}}
FLUSH = {"name": "flush", "meta": "flush_handlers"}


@pytest.fixture
def loader(tmp_path: Path) -> DataLoader:
    """Return a loader whose base has the role ``plain`` (tasks first, last) and ``notifies`` (a handler)."""
    for name in ("plain", "notifies"):
        tasks = tmp_path / "roles" / name / "tasks"
        tasks.mkdir(parents=True)
        (tasks / "main.yml").write_text("- name: first\n  debug: {}\n- name: last\n  debug: {}\n")
    handlers = tmp_path / "roles" / "notifies" / "handlers"
    handlers.mkdir()
    (handlers / "main.yml").write_text("- name: restart\n  debug: {}\n")
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    return loader


def name_of_last(play: Any) -> str:
    """Return the name of the task that ``last_task`` found, or ""."""
    found = last_task(play)
    names = {str(task._uuid): task.get_name() for task in flatten(play.compile())}
    return names[found] if found else ""


def flatten(items: Sequence[Any]) -> list[Any]:
    tasks: list[Any] = []
    for item in items:
        tasks += flatten(item.block + item.rescue + item.always) if hasattr(item, "rescue") else [item]
    return tasks


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"tasks": [FIRST, LAST]}, "last"),
        ({"tasks": [FIRST], "post_tasks": [LAST]}, "last"),
        ({"roles": ["plain"]}, "plain : last"),
        ({"roles": ["plain"], "tasks": [FIRST]}, "first"),
        ({"tasks": [{"block": [FIRST, LAST]}]}, "last"),
        ({"tasks": [{"block": [FIRST], "always": [LAST]}]}, "last"),
        ({"tasks": [LAST, FLUSH]}, "last"),
        ({"tasks": []}, ""),
        ({"tasks": [FLUSH]}, ""),
        ({"tasks": [LAST], "handlers": [FIRST]}, ""),
        ({"roles": ["notifies"]}, ""),
        ({"tasks": [FIRST, LAST | {"run_once": True}]}, ""),
        ({"tasks": [{"block": [LAST], "rescue": [FIRST]}]}, ""),
        ({"tasks": [{"block": [{"block": [LAST]}], "rescue": [FIRST]}]}, ""),
        ({"tasks": [FIRST, {"include_tasks": "more.yml"}]}, ""),
        ({"tasks": [FIRST, {"include_role": {"name": "plain"}}]}, ""),
    ],
)
def test_last_task(loader: DataLoader, content: dict[str, Any], name: str) -> None:
    data = {"name": "host", "hosts": "all", "gather_facts": False, **content}
    play = Play.load(data, variable_manager=VariableManager(loader=loader), loader=loader)
    assert name_of_last(play) == name
