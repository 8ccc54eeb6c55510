# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms inventory``: the way to plain ansible-playbook."""

import typer

from kubexms.cli.client import open_client
from kubexms.cli.output import ClusterFile, Format, Steps, report_error
from kubexms.errors import KubexmsError

app = typer.Typer(name="inventory", help="The Ansible inventory of a cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Print the Ansible inventory of a cluster."""


@app.command("render")
def render(file: ClusterFile) -> None:
    """Print the inventory for: ansible-playbook -i FILE kubexms.cluster.site. No secret is in it."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            print(client.inventory(ctx, file, Steps(Format.JSON)), end="")
    except KubexmsError as error:
        raise typer.Exit(report_error(error)) from error
