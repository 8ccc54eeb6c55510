# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms reset``: take the cluster off its hosts."""

import typer

from kubexms.cli.deploy import Timeout, Yes, carry_out
from kubexms.cli.output import ClusterFile, Format, Output
from kubexms.cli.plan import AcceptHost, make_options


def reset(
    file: ClusterFile,
    yes: Yes = False,
    output: Output = Format.TEXT,
    timeout: Timeout = 0,
    accept_host: AcceptHost = None,
) -> None:
    """Remove the cluster and leave its hosts as they were. All data of the cluster is lost."""
    options = make_options(accept_host, adopt=False, timeout=timeout)
    raise typer.Exit(carry_out(lambda client: client.plan_reset, file, options, yes, output))
