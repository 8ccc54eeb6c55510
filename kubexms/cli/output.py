# SPDX-License-Identifier: GPL-3.0-or-later
"""How the command line speaks: errors, JSON, and where it is in slow preparations."""

import json
import os
import sys
import time
import traceback
from dataclasses import asdict, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kubexms.errors import KubexmsError, ValidationFailed

EXIT_FAULT = 1
EXIT_INVALID = 3
EXIT_CANCELLED = 130


class Format(StrEnum):
    """What a command prints."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="Print text, or JSON for machines.")]
ClusterFile = Annotated[Path, typer.Argument(metavar="FILE", help="The cluster.yaml.", show_default=False)]


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, on a line of its own."""
    print(json.dumps(value, default=_plain, sort_keys=True), flush=True)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def report_error(error: KubexmsError, output: Format = Format.TEXT) -> int:
    """Print an error where the format wants it and return the exit code of its class."""
    if output is Format.JSON:
        print_json({"error": error_document(error)})
    elif isinstance(error, ValidationFailed):
        for problem in error.problems:
            print(problem, file=sys.stderr)
    else:
        print(f"kubexms: {error.message} [{error.code}]", file=sys.stderr)
        for line in getattr(error, "tail", ())[-10:]:
            print(f"  | {line}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
    return error.exit_code


def error_document(error: KubexmsError) -> dict[str, Any]:
    """Return an error as data: code, message, hint, and the problems of an invalid file."""
    document: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, ValidationFailed):
        document["problems"] = [asdict(problem) for problem in error.problems]
    return document


def report_fault(fault: Exception) -> int:
    """Say that a bug of ours was met, and keep its traceback in a file for the report of it."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"kubexms-fault-{os.getpid()}.txt"  # noqa: S108
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            traceback.print_exception(fault, file=stream)
        kept = f"details are in {path}; please report them"
    except OSError as error:
        kept = f"details could not be kept: {error}"
    print(f"kubexms: a fault of kubexms itself: {type(fault).__name__}: {fault}\n  {kept}", file=sys.stderr)
    return EXIT_FAULT


class Steps:
    """A Progress that tells on standard error what is under way and for how long, one line a thing."""

    def __init__(self, output: Format) -> None:
        self._started = time.monotonic()
        self._quiet = output is Format.JSON
        self._last = ""

    def report(self, what: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG002
        """Print ``what`` once; sizes are left to the artifacts verbs."""
        if not self._quiet and what != self._last:
            self._last = what
            print(f"{time.monotonic() - self._started:6.1f}s  {what}", file=sys.stderr, flush=True)
