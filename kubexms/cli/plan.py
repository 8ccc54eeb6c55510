# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms plan``: what a deployment would do, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from kubexms.cli.client import open_client
from kubexms.cli.output import ClusterFile, Format, Output, Steps, print_json, report_error
from kubexms.errors import KubexmsError

if TYPE_CHECKING:
    from kubexms.plan.model import Plan
    from kubexms.service.model import Options, Planned

AcceptHost = Annotated[
    list[str] | None,
    typer.Option("--accept-host", metavar="NAME", help="This host may be another machine than recorded."),
]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over hosts of this cluster whose records were lost.")
]


def plan(
    file: ClusterFile,
    output: Output = Format.TEXT,
    accept_host: AcceptHost = None,
    adopt: Adopt = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show every difference, not the first ones.")] = False,
) -> None:
    """Show what a deployment would do on which host, and why. Nothing is changed."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            planned = client.plan(ctx, file, make_options(accept_host, adopt), Steps(output))
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error
    show_plan(planned, output, every_difference=diff)
    if planned.plan.unreachable:
        raise typer.Exit(2)


def make_options(accept_host: list[str] | None, adopt: bool, timeout: float = 0.0) -> "Options":
    """Return the options of a request from what was given on the command line."""
    from kubexms.service.model import Options

    return Options(timeout=timeout, adopt=adopt, accepted_hosts=frozenset(accept_host or ()))


def show_plan(planned: "Planned", output: Format, *, every_difference: bool = False) -> None:
    """Print a plan: steps by segment with their reasons, what was silent, and what to look at."""
    if output is Format.JSON:
        print_json({"plan": planned.plan.as_json()})
        return
    for problem in planned.prepared.warnings:
        print(f"warning: {problem}")
    for warning in planned.plan.warnings:
        print(f"warning: {warning}")
    for look in planned.plan.unreachable:
        print(f"unreachable: {look.host}: {look.message}")
    _show_steps(planned.plan, every_difference)


def _show_steps(plan: "Plan", every_difference: bool) -> None:
    if plan.is_empty:
        print(f"cluster {plan.cluster}: nothing to do")
        return
    width = max(len(step.host) for step in plan.steps)
    print(f"cluster {plan.cluster}: {len(plan.steps)} steps on {len(plan.hosts())} hosts")
    for step in plan.steps:
        print(f"  {step.host:<{width}}  {step.stage:<13}  {step.reason}")
        if every_difference:
            for difference in step.differences:
                print(f"  {'':<{width}}  {'':<13}    {difference}")
