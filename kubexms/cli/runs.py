# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms runs``: what was done, is being done, and how it went."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kubexms.cli.client import open_client
from kubexms.cli.output import Format, Output, print_json, report_error
from kubexms.cli.watch import event_line, print_step_table
from kubexms.errors import KubexmsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubexms.cli.client import Client
    from kubexms.context import Context
    from kubexms.service.model import Event, Run

app = typer.Typer(name="runs", help="Runs: list them, look at one, read its events.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.", show_default=False)]


@app.command("list")
def list_runs(
    cluster: Annotated[str, typer.Option(help="Only runs of this cluster.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most runs to show.")] = 20,
    output: Output = Format.TEXT,
) -> None:
    """List runs, newest first."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            page = client.runs(ctx, cluster, limit)
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error
    if output is Format.JSON:
        print_json({"runs": [asdict(run) for run in page.items], "cursor": page.cursor})
        return
    for run in page.items:
        print(_line(run))
    if not page.items:
        print("no runs")


def _line(run: "Run") -> str:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.created_at))
    end = run.finished_at or time.time()
    return f"{run.id}  {run.verb:<7} {run.state.value:<12} {started}  {end - run.created_at:7.1f}s"


@app.command("show")
def show(run_id: RunId, output: Output = Format.TEXT) -> None:
    """Show a run: its state, and each of its steps."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            run, steps = client.run(ctx, run_id), client.steps(ctx, run_id)
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error
    if output is Format.JSON:
        print_json({"run": asdict(run), "steps": [asdict(step) for step in steps]})
        return
    print(_line(run))
    print(f"trace {run.trace_id}")
    if run.error is not None:
        print(f"error: {run.error.message} [{run.error.code}] {run.error.hint}")
    print_step_table(steps)


@app.command("events")
def events(
    run_id: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run is over.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Only events with a higher number.")] = 0,
    output: Output = Format.TEXT,
) -> None:
    """Print the events of a run, from the first or after a number."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            started = client.run(ctx, run_id).created_at
            found = client.follow(ctx, run_id, after) if follow else _stored(client, ctx, run_id, after)
            for event in found:
                if output is Format.JSON:
                    print_json(asdict(event))
                else:
                    print(event_line(event, started), flush=True)
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error


def _stored(client: "Client", ctx: "Context", run_id: str, after: int) -> "Iterator[Event]":
    while page := client.events(ctx, run_id, after):
        yield from page
        after = page[-1].seq


@app.command("cancel")
def cancel(run_id: RunId, output: Output = Format.TEXT) -> None:
    """Stop a run. No process of it is left, and it can be resumed."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            run = client.cancel(ctx, run_id)
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error
    if output is Format.JSON:
        print_json({"run": asdict(run)})
    else:
        print(f"run {run.id} is {run.state.value}")
