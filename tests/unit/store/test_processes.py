# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes on one file, and processes that are killed in the middle of a write."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.plan.states import StepState
from kubexms.store.records import Cluster, Event, Run
from kubexms.store.store import Store

BATCH = 20
PREAMBLE = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from kubexms.context import Context
from kubexms.errors import RunActive
from kubexms.store.records import Event
from kubexms.store.store import Store
ctx = Context()
store = Store.open(ctx, Path(sys.argv[1]))
"""
CREATE = """
print("ready", flush=True)
sys.stdin.readline()
try:
    print("made", store.runs.create(ctx, sys.argv[2], "deploy", Path("runs")).id)
except RunActive as error:
    print("refused", error.run_id)
"""
# Each batch starts and ends 10 steps; byte offsets are ten times the number of the last event.
INGEST = f"""
def batch(first):
    for seq in range(first, first + {BATCH}):
        kind = "step.started" if seq % 2 else "step.done"
        yield Event(sys.argv[2], seq, float(seq), kind, "host", f"n{{(seq + 1) // 2}}")

def ingest(first):
    events = list(batch(first))
    store.ingest(ctx, sys.argv[2], events, events[-1].seq * 10)
"""
KILL_BEFORE_COMMIT = """
ingest(1)
event.listen(store.database._engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
ingest(21)
"""
KILL_BETWEEN_STATEMENTS = """
ingest(1)
def kill(_connection, _cursor, statement, *_rest):
    if statement.startswith("UPDATE runs"):
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(store.database._engine, "before_cursor_execute", kill)
ingest(21)
"""
FOREVER = """
first = 1
while True:
    ingest(first)
    print(first, flush=True)
    first += 20
"""


@contextmanager
def child(code: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Run code in a process of its own, which does not outlive the block."""
    argv = [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: "subprocess.Popen[str]") -> str:
    """Return the next line that the process writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def reopen(ctx: Context, store: Store) -> Callable[[], Store]:
    """Return what opens the store as the next command would."""
    return lambda: Store.open(ctx, store.database.path.parent)


def test_one_of_two_processes_gets_the_run(ctx: Context, store: Store, cluster: Cluster) -> None:
    directory = store.database.path.parent
    with child(CREATE, directory, cluster.id) as first, child(CREATE, directory, cluster.id) as second:
        assert (line(first), line(second)) == ("ready", "ready")
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [line(first).split(), line(second).split()]
    (run,) = store.runs.list(ctx).items
    assert sorted(answers) == [["made", run.id], ["refused", run.id]]


def assert_whole(ctx: Context, store: Store, run: Run) -> int:
    """Assert that events, steps and offset tell the same story; return the last number."""
    with store.database.read(ctx) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    events = store.events.list(ctx, run.id, limit=1_000_000)
    last = len(events)
    assert [event.seq for event in events] == list(range(1, last + 1))
    assert last % BATCH == 0
    assert store.runs.get(ctx, run.id).spool_offset == last * 10
    steps = store.steps.list(ctx, run.id)
    assert Counter(step.state for step in steps) == {StepState.DONE: last // 2}
    assert {step.attempt for step in steps} == {1}
    return last


@pytest.mark.parametrize("code", [KILL_BEFORE_COMMIT, KILL_BETWEEN_STATEMENTS])
def test_a_kill_within_a_batch_stores_nothing_of_it(
    ctx: Context, store: Store, run: Run, reopen: Callable[[], Store], code: str
) -> None:
    with child(INGEST + code, store.database.path.parent, run.id) as process:
        assert process.wait(60) == -signal.SIGKILL
    with reopen() as again:
        assert assert_whole(ctx, again, run) == BATCH


def test_a_kill_at_any_moment_neither_loses_nor_doubles(
    ctx: Context, store: Store, run: Run, reopen: Callable[[], Store]
) -> None:
    with child(INGEST + FOREVER, store.database.path.parent, run.id) as process:
        told = 0
        while told < 10 * BATCH:
            told = int(line(process))
        process.kill()
    with reopen() as again:
        last = assert_whole(ctx, again, run)
        assert last >= told + BATCH - 1
        events = [
            Event(
                run.id,
                seq,
                float(seq),
                "step.started" if seq % 2 else "step.done",
                "host",
                f"n{(seq + 1) // 2}",
            )
            for seq in range(1, last + BATCH + 1)
        ]
        result = again.ingest(ctx, run.id, events, (last + BATCH) * 10)
        assert (result.inserted, result.repeated, result.unapplied) == (BATCH, last, ())
        assert assert_whole(ctx, again, run) == last + BATCH
