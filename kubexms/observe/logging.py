# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of the controller's processes: to standard error, JSON lines, or text on a terminal.

Lines carry run, stage, host and trace id where these are known. Libraries that use Python's logging
come out in the same form. Standard output is never touched: it belongs to what the user asked for.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TextIO

from kubexms.context import Context
from kubexms.observe.redact import redact

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger
    from structlog.typing import Processor

_NAME = "kubexms"


def configure(level: str, *, stream: TextIO | None = None) -> None:
    """Send the process's log at or above ``level`` (DEBUG to CRITICAL) to standard error or ``stream``.

    Call it once at the start of a program; a second call replaces what the first one set up.
    """
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.set_name(_NAME)
    handler.setFormatter(_formatter(terminal=target.isatty()))
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if known.get_name() == _NAME]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level)
    # Below this it writes every statement and every row that it reads.
    logging.getLogger("sqlalchemy").setLevel(max(root.level, logging.WARNING))


def logger(ctx: Context, *, stage: str = "", host: str = "") -> "BoundLogger":
    """Return a logger whose lines name the context's run and trace, and stage and host where given."""
    import structlog  # noqa: PLC0415 - see the package's docstring

    known = {"run": ctx.run_id, "stage": stage, "host": host, "trace_id": ctx.trace_id}
    bound: BoundLogger = structlog.wrap_logger(
        logging.getLogger(_NAME),
        processors=[
            structlog.stdlib.filter_by_level,
            *_stamps(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    ).bind(**{name: value for name, value in known.items() if value})
    return bound


def _stamps() -> "list[Processor]":
    """Return what adds to every line, ours or a library's, when and how grave it was."""
    import structlog  # noqa: PLC0415

    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(*, terminal: bool) -> logging.Formatter:
    """Return what makes text of a line. Tracebacks are plain: they must not show variables."""
    import structlog  # noqa: PLC0415

    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_stamps(), structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_line,
            renderer,
        ],
    )


def _redact_line(_logger: object, _method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    """Hide what looks like a secret anywhere in the line."""
    return {name: redact(value, name) for name, value in line.items()}
