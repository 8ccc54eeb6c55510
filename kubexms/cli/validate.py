# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms validate``: everything that is wrong with a cluster.yaml, before any host is touched."""

import typer

from kubexms.cli.output import ClusterFile, Format, Output, print_json, report_error
from kubexms.errors import ValidationFailed


def validate(file: ClusterFile, output: Output = Format.TEXT) -> None:
    """Check a cluster.yaml and report every problem at once. No host is touched."""
    from kubexms.cluster import load

    try:
        loaded = load(file)
    except ValidationFailed as error:
        raise typer.Exit(report_error(error, output)) from error
    if output is Format.JSON:
        print_json({"cluster": loaded.cluster.metadata.name, "warnings": loaded.warnings})
        return
    for problem in loaded.warnings:
        print(f"warning: {problem}")
    hosts = len(loaded.cluster.spec.hosts)
    print(f"{file}: cluster {loaded.cluster.metadata.name}, {hosts} host{'s' if hosts > 1 else ''}: valid")
