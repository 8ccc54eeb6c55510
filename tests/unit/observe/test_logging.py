# SPDX-License-Identifier: GPL-3.0-or-later
"""The log: JSON lines or text, with run, stage, host and trace, at its level, without secrets."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.observe.logging import configure, logger

CONTEXT = Context(run_id="20260131-235959-0a1b2c3d", trace_id="0123456789abcdef0123456789abcdef")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Give Python's logging back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("sqlalchemy").setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the JSON lines that were written."""
    return [json.loads(text) for text in stream.getvalue().splitlines()]


def fail(message: str) -> None:
    """Raise an error from a frame with a variable that no traceback may show."""
    variable = "planted in a frame".upper()
    raise RuntimeError(message + variable[:0])


def test_a_line_says_when_where_and_in_which_run() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    logger(CONTEXT, stage="init", host="n1").info("stage %s begins", "init", attempt=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "stage init begins",
        "level": "info",
        "run": CONTEXT.run_id,
        "stage": "init",
        "host": "n1",
        "trace_id": CONTEXT.trace_id,
        "attempt": 2,
    }


def test_what_is_not_known_is_left_out() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    logger(Context(trace_id="t")).info("hello")
    assert lines(stream)[0].keys() == {"event", "level", "timestamp", "trace_id"}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("DEBUG", ["debug", "info", "warning", "error", "critical"]),
        ("WARNING", ["warning", "error", "critical"]),
        ("CRITICAL", ["critical"]),
    ],
)
def test_the_level_decides(level: str, expected: list[str]) -> None:
    stream = io.StringIO()
    configure(level, stream=stream)
    log = logger(CONTEXT)
    for method in (log.debug, log.info, log.warning, log.error, log.critical):
        method("x")
    assert [line["level"] for line in lines(stream)] == expected


def test_libraries_come_out_in_the_same_form() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    logging.getLogger("some.library").warning("took %d s", 3)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("took 3 s", "warning", "some.library")


def test_the_database_library_is_quiet_even_at_debug() -> None:
    stream = io.StringIO()
    configure("DEBUG", stream=stream)
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT a row")
    logging.getLogger("sqlalchemy.pool").warning("told")
    assert [line["event"] for line in lines(stream)] == ["told"]


def test_secrets_are_hidden_wherever_they_are() -> None:
    stream = io.StringIO()
    configure("DEBUG", stream=stream)
    log = logger(CONTEXT)
    log.info("joining with abcdef.0123456789abcdef", password="planted-1", nested={"token": "planted-2"})
    logging.getLogger("lib").info("uses %s", "https://user:planted-3@mirror.example")
    try:
        fail("bad token fedcba.9999999999999999")
    except RuntimeError:
        log.exception("failed")
    text = stream.getvalue()
    assert "planted-" not in text
    assert "PLANTED" not in text
    assert "abcdef.0123456789abcdef" not in text
    assert "fedcba.9999999999999999" not in text
    assert "RuntimeError: bad token [hidden]" in lines(stream)[2]["exception"]


def test_a_terminal_gets_text_with_a_plain_traceback() -> None:
    terminal = Terminal()
    configure("INFO", stream=terminal)
    log = logger(CONTEXT, host="n1")
    try:
        fail("broken")
    except RuntimeError:
        log.exception("it failed")
    text = terminal.getvalue()
    assert "it failed" in text
    assert "n1" in text
    assert "Traceback (most recent call last)" in text
    assert "RuntimeError: broken" in text
    assert "PLANTED" not in text


def test_a_second_call_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("DEBUG", stream=first)
    configure("INFO", stream=second)
    logger(CONTEXT).info("once")
    assert first.getvalue() == ""
    assert len(lines(second)) == 1


def test_standard_error_is_the_default_and_standard_output_stays_clean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("INFO")
    logger(CONTEXT).info("hello")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "hello"


def test_naming_the_log_does_not_import_structlog() -> None:
    code = "import sys, kubexms.observe.logging; sys.exit('structlog' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
