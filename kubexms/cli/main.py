# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``kubexms`` command: mounts the verbs and turns every error into a message and an exit code.

Exit codes: 0 done, 1 a fault of ours or a run that failed, 2 partly done (named hosts failed),
3 invalid input, 4 refused, 5 unreachable, 130 ended by Ctrl-C.
"""

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import Abort

from kubexms import __version__
from kubexms.cli import artifacts, inventory, lab, runs
from kubexms.cli.deploy import deploy, resume
from kubexms.cli.init import init
from kubexms.cli.kubeconfig import kubeconfig
from kubexms.cli.output import EXIT_CANCELLED, EXIT_INVALID, report_error, report_fault
from kubexms.cli.plan import plan
from kubexms.cli.reset import reset
from kubexms.cli.schema import schema
from kubexms.cli.status import status
from kubexms.cli.validate import validate
from kubexms.errors import KubexmsError

app = typer.Typer(
    name="kubexms",
    help="Deploy Kubernetes clusters from one declarative file, and keep them so.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show it."),
) -> None:
    """Deploy Kubernetes clusters from one declarative file, and keep them so."""


for verb in (init, validate, schema, plan, deploy, resume, status, reset, kubeconfig):
    app.command()(verb)
for group in (runs, inventory, artifacts, lab):
    app.add_typer(group.app)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but a bug of ours shows a fault report."""
    try:
        return app(args=list(arguments), standalone_mode=False) or 0
    except KubexmsError as error:
        return report_error(error)
    except typer.TyperException as error:
        return _report_usage(error)
    except (KeyboardInterrupt, Abort):
        print("ended", file=sys.stderr)
        return EXIT_CANCELLED
    except BrokenPipeError:
        return 0
    except Exception as fault:  # noqa: BLE001 - the last door: a bug becomes a report, not a traceback
        return report_fault(fault)


def _report_usage(error: typer.TyperException) -> int:
    print(f"kubexms: {error.format_message()}", file=sys.stderr)
    print("see kubexms --help, or COMMAND --help", file=sys.stderr)
    return EXIT_INVALID


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))
