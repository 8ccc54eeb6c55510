# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms deploy`` and ``kubexms resume``: plan, ask, run, watch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubexms.cli.client import Client, open_client
from kubexms.cli.output import ClusterFile, Format, Output, Steps, report_error
from kubexms.cli.plan import AcceptHost, Adopt, make_options, show_plan
from kubexms.cli.watch import conclude, watch
from kubexms.errors import KubexmsError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubexms.context import Context
    from kubexms.service.model import Options, Planned, Progress

    Planner = Callable[[Context, Path, Options, Progress], Planned]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing anything.")]
Timeout = Annotated[float, typer.Option(help="Most seconds the run may take; 0 is no limit.", min=0)]


def deploy(
    file: ClusterFile,
    yes: Yes = False,
    output: Output = Format.TEXT,
    timeout: Timeout = 0,
    accept_host: AcceptHost = None,
    adopt: Adopt = False,
) -> None:
    """Bring the hosts to what the file says. A second time changes nothing."""
    options = make_options(accept_host, adopt, timeout)
    raise typer.Exit(carry_out(lambda client: client.plan, file, options, yes, output))


def resume(
    file: ClusterFile,
    yes: Yes = False,
    output: Output = Format.TEXT,
    timeout: Timeout = 0,
    accept_host: AcceptHost = None,
) -> None:
    """Go on with the cluster's last run, at the first unfinished step of each host."""
    options = make_options(accept_host, adopt=False, timeout=timeout)
    raise typer.Exit(carry_out(lambda client: client.plan_resume, file, options, yes, output))


def carry_out(
    choose: "Callable[[Client], Planner]", file: Path, options: "Options", yes: bool, output: Format
) -> int:
    """Plan with the client's verb, ask, start, watch; return the exit code."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            planned = choose(client)(ctx, file, options, Steps(output))
            show_plan(planned, output)
            if not planned.plan.is_empty:
                _ask(yes, output)
            run = client.start(ctx, planned)
            watch(ctx, client, run, planned.plan, output)
            return conclude(client.run(ctx, run.id), client.steps(ctx, run.id), output)
    except KubexmsError as error:
        return report_error(error, output)


def _ask(yes: bool, output: Format) -> None:
    """Ask whether to go on. Without a terminal nobody can answer: refuse."""
    import sys

    if yes:
        return
    if output is Format.JSON or not sys.stdin.isatty():
        raise Refused("nobody can be asked whether to go on", hint="look at the plan, then add --yes")
    if not typer.confirm("Go on?"):
        raise Refused("not confirmed; nothing was touched")
