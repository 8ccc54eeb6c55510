# SPDX-License-Identifier: GPL-3.0-or-later
"""The live table: what it shows after each event."""

from rich.console import Console

from kubexms.cli.live import board
from kubexms.store.records import Event
from tests.unit.cli.conftest import plan_of


def shown(*events: Event) -> str:
    table = board(plan_of(("files", "w-1"), ("join", "w-1"), ("files", "w-2")), 0.0)
    for event in events:
        table.take(event)
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_before_anything_happened_every_step_is_pending() -> None:
    lines = shown().splitlines()
    assert lines[0].split()[1:] == ["files", "join", "now"]
    assert lines[1].split() == ["w-1", "·", "·"]
    assert lines[2].split() == ["w-2", "·"]


def test_states_move_with_events() -> None:
    lines = shown(
        Event("r", 1, 1.0, "step.started", "files", "w-1"),
        Event("r", 2, 2.0, "step.done", "files", "w-1"),
        Event("r", 3, 3.0, "step.started", "join", "w-1"),
        Event("r", 4, 3.0, "task.started", "join", "w-1", "Host is a node"),
        Event("r", 5, 4.0, "step.failed", "files", "w-2"),
    ).splitlines()
    assert lines[1].split() == ["w-1", "✔", "▶", "Host", "is", "a", "node"]
    assert lines[2].split() == ["w-2", "✘"]
