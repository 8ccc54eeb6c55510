# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms kubeconfig``: the administrator's way into the cluster."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kubexms.cli.client import open_client
from kubexms.cli.output import ClusterFile, Format, Steps, report_error
from kubexms.errors import KubexmsError, Refused

ToFile = Annotated[
    Path | None, typer.Option("--file", "-f", help="Write it there with mode 0600, not to standard output.")
]


def kubeconfig(
    file: ClusterFile,
    to: ToFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Print the administrator's kubeconfig, or write it to a file.

    Whoever has it is the administrator.
    """
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            text = client.kubeconfig(ctx, file, Steps(Format.JSON))
        if to is None:
            print(text, end="")
        else:
            _write(to, text, force)
            print(f"wrote {to}; use it with: kubectl --kubeconfig {to} get nodes")
    except KubexmsError as error:
        raise typer.Exit(report_error(error)) from error


def _write(path: Path, text: str, force: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as cause:
        raise Refused(f"{path} exists", hint="choose another name, or replace it with --force") from cause
    except OSError as cause:
        raise Refused(f"{path} cannot be written: {cause.strerror}") from cause
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, 0o600)
        stream.write(text)
