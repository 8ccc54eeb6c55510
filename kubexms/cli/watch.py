# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a run: a live table on a terminal, a line per event elsewhere, JSON lines for machines."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from kubexms.cli.output import EXIT_CANCELLED, Format, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubexms.cli.client import Client
    from kubexms.context import Context
    from kubexms.plan.model import Plan
    from kubexms.service.model import Event, Run, Step

_QUIET = ("task.started", "segment.started", "segment.finished")
_EXIT_CODES = {"done": 0, "partial": 2, "cancelled": EXIT_CANCELLED}


def watch(ctx: "Context", client: "Client", run: "Run", plan: "Plan", output: Format) -> None:
    """Show a run until it is over. Ctrl-C cancels the run and goes on watching until it has stopped."""
    events = client.follow(ctx, run.id)
    try:
        _show(events, run, plan, output)
    except KeyboardInterrupt:
        print("stopping the run; its steps will be resumable", file=sys.stderr)
        client.cancel(ctx, run.id)


def _show(events: "Iterator[Event]", run: "Run", plan: "Plan", output: Format) -> None:
    if output is Format.JSON:
        for event in events:
            print_json(asdict(event))
    elif sys.stdout.isatty():
        from kubexms.cli.live import show_live

        show_live(events, run, plan)
    else:
        for event in events:
            if event.kind not in _QUIET:
                print(event_line(event, run.created_at), flush=True)


def event_line(event: "Event", started: float) -> str:
    """Return an event as one line: seconds since the run was made, kind, stage, host, what matters."""
    data = event.data
    parts = [f"{event.time - started:7.1f}s", event.kind]
    parts += [text for text in (event.stage, event.host, event.task) if text]
    if event.kind == "step.done":
        parts.append(f"{'changed' if data.get('changed') else 'unchanged'} in {data.get('seconds', 0):.1f}s")
    error = data.get("error")
    if error:
        parts.append(f"{error.get('message', '')} [{error.get('code', '')}]")
    elif "state" in data:
        parts.append(str(data["state"]))
    elif "reason" in data:
        parts.append(str(data["reason"]))
    return "  ".join(parts)


def conclude(run: "Run", steps: "tuple[Step, ...]", output: Format) -> int:
    """Print how a run ended and return its exit code: 0 done, 2 partly, 130 cancelled, else 1."""
    result = run.result or {}
    if output is Format.JSON:
        print_json({"run": asdict(run)})
    else:
        _print_failures(run, steps)
        seconds = (run.finished_at or run.created_at) - run.created_at
        print(f"run {run.id} {run.state.value} in {seconds:.1f}s, changed={result.get('changed', 0)}")
        if run.state.value != "done":
            print("go on with: kubexms resume FILE, or kubexms deploy FILE")
    return _EXIT_CODES.get(run.state.value, 1)


def _print_failures(run: "Run", steps: "tuple[Step, ...]") -> None:
    for step in steps:
        if step.state.value == "failed" and step.error is not None:
            print(f"failed: {step.stage} on {step.host}: {step.error.message} [{step.error.code}]")
            for line in step.error.tail[-10:]:
                print(f"  | {line}")
            if step.error.hint:
                print(f"  {step.error.hint}")
    silent = (run.result or {}).get("unreachable_hosts", ())
    if silent:
        print(f"unreachable: {', '.join(silent)}")
    if run.error is not None:
        print(f"error: {run.error.message} [{run.error.code}]")


def print_step_table(steps: "Iterable[Step]") -> None:
    """Print the steps of a run, one line each, with the error of those that have one."""
    for step in sorted(steps, key=lambda item: (item.started_at or float("inf"), item.host)):
        took = f"{step.finished_at - step.started_at:6.1f}s" if step.finished_at and step.started_at else ""
        print(f"  {step.host:<16} {step.stage:<14} {step.state.value:<12} {took:>8}  {step.reason}")
        if step.error is not None:
            print(f"      {step.error.message} [{step.error.code}]")
