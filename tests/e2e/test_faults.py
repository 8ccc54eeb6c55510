# SPDX-License-Identifier: GPL-3.0-or-later
"""One control-plane host and workers, while things go wrong: Ctrl-C, killed supervisors, dead hosts.

The tests tell one story in their order: an install that is cancelled, killed and resumed, then a worker
that is added, then one that dies while it is added.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.e2e.harness import KUBEXMS, ROOT, Document, Lab, change, kubexms, until

STATE = Path(os.environ.get("KUBEXMS_STATE_DIR", Path.home() / ".local/share/kubexms"))


class Deployment:
    """A ``deploy`` or ``resume`` that runs beside the test; its events are read as they come."""

    def __init__(self, verb: str, file: Path) -> None:
        argv = [KUBEXMS, verb, str(file), "--yes", "--output", "json"]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.seen: list[Document] = []

    @property
    def _lines(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def read_until(self, condition: Callable[[Document], bool]) -> Document:
        """Read on to the first event that fits; fail when the command ends before."""
        for line in self._lines:
            self.seen.append(json.loads(line))
            if condition(self.seen[-1]):
                return self.seen[-1]
        raise AssertionError(f"it ended before: {self.seen[-3:]}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.communicate(timeout=60)

    def finish(self) -> tuple[int, list[Document]]:
        """Read to the end; return the exit code and everything that was said."""
        rest, _ = self._process.communicate(timeout=600)
        self.seen += [json.loads(line) for line in rest.splitlines()]
        return self._process.returncode, self.seen


@contextmanager
def running(verb: str, file: Path) -> Iterator[Deployment]:
    deployment = Deployment(verb, file)
    try:
        yield deployment
    finally:
        deployment.close()


def began(stage: str, host: str = "") -> Callable[[Document], bool]:
    """Return the condition that a stage began, on a host where one is named."""
    return lambda event: (
        event.get("kind") == "step.started"
        and event["stage"] == stage
        and (not host or event["host"] == host)
    )


def processes_of(run_id: str) -> list[str]:
    """Return the command lines of this machine's processes that belong to a run."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if any(run_id in word for word in words):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def run_of(event: Document) -> str:
    return str(event["run_id"])


def steps_of(run_id: str) -> dict[tuple[str, str], Document]:
    shown = json.loads(kubexms("runs", "show", run_id, "--output", "json").stdout)
    return {(step["stage"], step["host"]): step for step in shown["steps"]}


@pytest.fixture(scope="module")
def run_id(three_hosts: Lab) -> str:
    """The run that the first tests are about, cancelled by Ctrl-C while binaries were placed."""
    with running("deploy", three_hosts.file) as deployment:
        event = deployment.read_until(began("files"))
        refused = change("deploy", three_hosts.file, expect=4).one("error")
        deployment.signal(signal.SIGINT)
        code, _ = deployment.finish()
    assert refused["code"] == "run-active"
    assert run_of(event) in refused["message"]
    assert code == 130
    return run_of(event)


def test_ctrl_c_leaves_no_process_and_every_step_in_a_defined_state(run_id: str) -> None:
    assert processes_of(run_id) == []
    states = {step["state"] for step in steps_of(run_id).values()}
    assert states <= {"done", "pending", "interrupted"}, states


def test_a_killed_supervisor_loses_nothing(three_hosts: Lab, run_id: str) -> None:
    with running("resume", three_hosts.file) as deployment:
        event = deployment.read_until(began("images"))
        assert run_of(event) == run_id
        supervisor = json.loads((STATE / "runs" / run_id / "lease.json").read_text())["pid"]
        os.kill(supervisor, signal.SIGKILL)
        code, _ = deployment.finish()
    assert code == 1
    until(lambda: processes_of(run_id) == [], "processes of the run end", 30)
    assert "running" not in {step["state"] for step in steps_of(run_id).values()}


def test_resume_goes_on_where_it_stopped(three_hosts: Lab, run_id: str) -> None:
    done = {key for key, step in steps_of(run_id).items() if step["state"] == "done"}
    outcome = change("resume", three_hosts.file)
    assert outcome.one("run")["id"] == run_id
    assert outcome.steps
    assert not outcome.steps & done, "what was done is done again"
    assert three_hosts.ready_nodes() == set(three_hosts.hosts)


def test_a_killed_command_line_loses_nothing(three_hosts: Lab) -> None:
    def edit(document: Document) -> None:
        document["spec"]["hosts"][2]["labels"] = {"example.com/disk": "fast"}

    with running("deploy", three_hosts.edited("labelled", edit)) as deployment:
        run = run_of(deployment.read_until(began("nodes")))
        deployment.signal(signal.SIGKILL)
    until(lambda: {step["state"] for step in steps_of(run).values()} == {"done"}, "the run ends by itself")
    assert three_hosts.get("nodes", "-l", "example.com/disk=fast")[0]["metadata"]["name"] == "node3"


def test_a_worker_is_added_without_touching_the_others(three_hosts: Lab) -> None:
    lab = Lab.up("three", 4, 1)
    outcome = change("deploy", lab.file)
    others = {step for step in outcome.steps if step[1] != "node4"}
    # Every host knows the name of every other, and labels are one control-plane host's to apply.
    assert others <= {("nodes", "node1"), *(("host", host) for host in ("node1", "node2", "node3"))}, others
    assert lab.ready_nodes() == set(lab.hosts)
    assert outcome.seconds <= 40


def test_a_worker_that_dies_leaves_the_run(three_hosts: Lab) -> None:
    lab = Lab.up("three", 5, 1)
    with running("deploy", lab.file) as deployment:
        deployment.read_until(began("images", "node5"))
        lab.do("kill", "node5")
        code, documents = deployment.finish()
    assert code == 2
    run = next(document["run"] for document in documents if "run" in document)
    assert run["state"] == "partial"
    assert run["result"]["failed_hosts"] == ["node5"]
    failed = [step for step in steps_of(run["id"]).values() if step["state"] == "failed"]
    assert [(step["host"], step["stage"]) for step in failed] == [("node5", "images")]
    assert failed[0]["error"]["message"]
    assert lab.ready_nodes() == {"node1", "node2", "node3", "node4"}


def test_the_next_deploy_finishes_that_host_alone(three_hosts: Lab) -> None:
    lab = Lab.up("three", 5, 1)
    begin = time.monotonic()
    outcome = change("deploy", lab.file)
    assert {host for _, host in outcome.steps} <= {"node5", "node1"}
    assert {stage for stage, host in outcome.steps if host == "node1"} <= {"nodes"}
    assert lab.ready_nodes() == set(lab.hosts)
    assert time.monotonic() - begin < 120
