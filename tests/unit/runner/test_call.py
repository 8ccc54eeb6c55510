# SPDX-License-Identifier: GPL-3.0-or-later
"""A call that ansible-runner cannot even begin: the run must hear of it, and nothing may stay behind."""

import subprocess
import sys
from pathlib import Path

from kubexms.runner.call import AnsiblePlayer
from kubexms.runner.control import SEGMENTS
from kubexms.runner.job import Job, Segment
from kubexms.runner.playbook import EVENTS, Call
from kubexms.runner.supervisor import Ended, Item

JOB = Job("r", "t", "deploy", "/none.yml", "/none", (Segment("s", (("host", ("a",)),)),))
CALL = Call(1, "s", JOB.segments[0].stages, {})


def player(directory: Path, sockets: Path) -> AnsiblePlayer:
    return AnsiblePlayer(JOB, directory, sockets, {}, list)


def test_a_call_that_cannot_begin_ends_with_the_reason(tmp_path: Path) -> None:
    items: list[Item] = []
    player(tmp_path, tmp_path / "missing").play(CALL, items.append)
    (ended,) = items
    assert isinstance(ended, Ended)
    assert (ended.call, ended.outcome.status) == (1, -1)
    assert "FileNotFoundError" in ended.outcome.tail[0]
    assert list((tmp_path / SEGMENTS).iterdir()) == []


def test_stopping_a_call_ends_what_was_started_for_it(tmp_path: Path) -> None:
    code = "import signal; print(flush=True); signal.pause()"
    mine, other = f"{tmp_path}/events-1", f"{tmp_path}/events-2"
    children = []
    for path in (mine, other):
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, env={EVENTS: path}
        )
        assert child.stdout is not None
        child.stdout.readline()
        children.append(child)
    player(tmp_path, tmp_path).stop(1)
    assert children[0].wait(10) != 0
    assert children[1].poll() is None
    children[1].kill()
    for child in children:
        child.__exit__(None, None, None)


def test_nothing_to_stop_is_fine(tmp_path: Path) -> None:
    player(tmp_path, tmp_path).stop_all()
