# SPDX-License-Identifier: GPL-3.0-or-later
"""The live table of a run: hosts by stages with their states, elapsed time and current task."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kubexms.plan.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubexms.plan.model import Plan
    from kubexms.service.model import Event, Run

_MARKS = {
    "pending": ("·", "dim"),
    "running": ("▶", "cyan"),
    "done": ("✔", "green"),
    "failed": ("✘", "bold red"),
    "blocked": ("⊘", "yellow"),
    "skipped": ("-", "dim"),
    "interrupted": ("‖", "yellow"),
    "retry": ("↻", "yellow"),
}
_STATES = {
    "step.started": "running",
    "step.done": "done",
    "step.failed": "failed",
    "step.blocked": "blocked",
    "step.skipped": "skipped",
    "step.interrupted": "interrupted",
    "step.retry": "retry",
}


@dataclass
class Board:
    """What the table shows: the state of every step, and what each host is doing."""

    started: float
    stages: list[str]
    steps: dict[tuple[str, str], str]
    tasks: dict[str, str] = field(default_factory=dict)

    def take(self, event: "Event") -> None:
        """Move the board by one event."""
        if event.kind in _STATES and event.host:
            self.steps[event.stage or "", event.host] = _STATES[event.kind]
            self.tasks[event.host] = event.stage or "" if event.kind == "step.started" else ""
        elif event.kind == "task.started" and event.host:
            self.tasks[event.host] = event.task or ""

    def __rich__(self) -> Table:
        """Return the table as it is now."""
        table = Table(box=None, pad_edge=False)
        table.add_column(f"{time.time() - self.started:.0f}s", min_width=6)
        for stage in self.stages:
            table.add_column(stage, justify="center")
        table.add_column("now")
        for host in dict.fromkeys(host for _, host in self.steps):
            marks = [self._mark(stage, host) for stage in self.stages]
            table.add_row(host, *marks, Text(self.tasks.get(host, ""), style="dim"))
        return table

    def _mark(self, stage: str, host: str) -> Text:
        state = self.steps.get((stage, host))
        return Text("") if state is None else Text(*_MARKS[state])


def board(plan: "Plan", started: float) -> Board:
    """Return the board of a plan before anything has happened."""
    steps = {(step.stage, step.host): "pending" for step in plan.steps}
    named = {stage for stage, _ in steps}
    order = [stage.name for stage in STAGES if stage.name in named]
    return Board(started, order + sorted(named - set(order)), steps)


def show_live(events: "Iterator[Event]", run: "Run", plan: "Plan") -> None:
    """Keep the table on the terminal up to date until the events end."""
    shown = board(plan, run.created_at)
    with Live(shown, console=Console(), refresh_per_second=5):
        for event in events:
            shown.take(event)
