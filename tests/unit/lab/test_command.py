# SPDX-License-Identifier: GPL-3.0-or-later
"""Real small programs, because this is the layer that meets them."""

import sys
import threading
import time

import pytest

from kubexms.context import Context
from kubexms.errors import Cancelled, CommandFailed, DeadlineExceeded
from kubexms.lab import command
from kubexms.lab.command import TAIL_LINES, Local, Result, run

SLEEP = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_capture_returns_status_and_both_outputs(ctx: Context) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert Local().capture(ctx, python(code)) == Result(3, "out\n", "err\n")


def test_programs_speak_c_and_get_no_input(ctx: Context) -> None:
    code = "import os, sys; print(os.environ['LC_ALL'], sys.stdin.read() == '')"
    assert run(ctx, Local(), python(code)) == "C.UTF-8 True\n"


def test_a_failure_carries_status_and_last_lines(ctx: Context) -> None:
    with pytest.raises(CommandFailed, match="ended with status 2: line 99") as caught:
        run(
            ctx,
            Local(),
            python("import sys; [print('line', n, file=sys.stderr) for n in range(100)]; sys.exit(2)"),
        )
    assert caught.value.status == 2
    assert caught.value.tail == tuple(f"line {n}" for n in range(100 - TAIL_LINES, 100))


def test_a_failure_without_complaint_shows_the_output(ctx: Context) -> None:
    with pytest.raises(CommandFailed, match="only this"):
        run(ctx, Local(), python("import sys; print('only this'); sys.exit(1)"))


def test_a_program_that_is_not_there_fails(ctx: Context) -> None:
    with pytest.raises(CommandFailed, match=r"127.*No such file") as caught:
        Local().capture(ctx, ["/no/such/program", "x"])
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_the_end_of_the_time_ends_the_program(ctx: Context) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        Local().capture(ctx.with_timeout(0.3), SLEEP)
    assert time.monotonic() - started < 10


def test_what_a_program_started_ends_with_it(ctx: Context) -> None:
    """Else the output would stay open and the end of the context would wait for the grandchild."""
    code = f"import subprocess, sys; subprocess.run({SLEEP!r})"
    started = time.monotonic()
    with pytest.raises(Cancelled):
        Local().follow(ctx, python(code), lambda line: ctx.cancelled.set())
    assert time.monotonic() - started < 10


def test_a_program_that_does_not_listen_is_killed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_STOP_SECONDS", 0.2)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(Cancelled):
        Local().follow(ctx, python(code), lambda line: ctx.cancelled.set())
    assert time.monotonic() - started < 10


def test_a_program_is_not_started_when_the_time_is_over(ctx: Context) -> None:
    with pytest.raises(DeadlineExceeded):
        Local().capture(ctx.with_timeout(0), ["/no/such/program"])


def test_follow_reports_lines_as_they_come_until_cancelled(ctx: Context) -> None:
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        ctx.cancelled.set()

    with pytest.raises(Cancelled):
        Local().follow(ctx, SLEEP, report)
    assert lines == ["begun"]


def test_follow_reports_both_outputs_and_fails_with_the_last_lines(ctx: Context) -> None:
    lines: list[str] = []
    code = "import sys; print('a', flush=True); print('b', file=sys.stderr, flush=True); sys.exit(4)"
    with pytest.raises(CommandFailed, match="status 4: b") as caught:
        Local().follow(ctx, python(code), lines.append)
    assert lines == ["a", "b"]
    assert caught.value.tail == ("a", "b")


def test_follow_of_a_success(ctx: Context) -> None:
    lines: list[str] = []
    Local().follow(ctx, python("print('fine')"), lines.append)
    assert lines == ["fine"]


def test_no_thread_stays_behind(ctx: Context) -> None:
    before = threading.active_count()
    Local().follow(ctx, python("print('x')"), lambda line: None)
    assert threading.active_count() == before
