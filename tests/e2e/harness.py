# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end-to-end tests hold in their hands: the command line, a lab, a cluster in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBEXMS = str(Path(sys.executable).parent / "kubexms")
KUBECTL = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--cache-dir=/run/kubectl-cache")
LAB_PREFIX = os.environ.get("KUBEXMS_TEST_LAB", "test")

Document = dict[str, Any]


def kubexms(
    *arguments: str, expect: int | None = 0, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; with ``expect``, that must be its exit code."""
    argv = [KUBEXMS, *arguments]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=timeout, cwd=ROOT)
    if expect is not None:
        shown = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        assert done.returncode == expect, f"kubexms {' '.join(arguments)}: exit {done.returncode}\n{shown}"
    return done


@dataclass(frozen=True)
class Outcome:
    """What one ``deploy``, ``resume`` or ``reset`` with ``--output json`` said."""

    exit_code: int
    seconds: float
    documents: tuple[Document, ...]

    def one(self, key: str) -> Document:
        """Return the document that has this key, such as ``plan``, ``run`` or ``error``."""
        found: Document = next(document[key] for document in self.documents if key in document)
        return found

    @property
    def events(self) -> list[Document]:
        """Return the events of the run, in order."""
        return [document for document in self.documents if "seq" in document]

    @property
    def steps(self) -> set[tuple[str, str]]:
        """Return the planned steps as (stage, host)."""
        return {(step["stage"], step["host"]) for step in self.one("plan")["steps"]}

    @property
    def changed(self) -> int:
        """Return how many steps changed something."""
        return sum(event["kind"] == "step.done" and event["data"]["changed"] for event in self.events)


def change(verb: str, file: Path, *options: str, expect: int | None = 0) -> Outcome:
    """Run a verb that changes hosts and return what it said."""
    begin = time.monotonic()
    done = kubexms(verb, str(file), "--yes", "--output", "json", *options, expect=expect)
    documents = tuple(json.loads(line) for line in done.stdout.splitlines())
    return Outcome(done.returncode, time.monotonic() - begin, documents)


@dataclass(frozen=True)
class Lab:
    """A lab that is up. ``hosts`` maps names to addresses."""

    name: str
    file: Path
    hosts: Mapping[str, str]

    @classmethod
    def up(cls, purpose: str, hosts: int, control_planes: int) -> "Lab":
        """Boot a lab, or add hosts to the one that has this purpose."""
        name = f"{LAB_PREFIX}-{purpose}"
        kubexms("lab", "up", "--name", name, "--hosts", str(hosts), "--control-planes", str(control_planes))
        file = Path(kubexms("lab", "status", "--name", name).stdout.splitlines()[0].split()[-1])
        listed = yaml.safe_load(file.read_text())["spec"]["hosts"]
        return cls(name, file, {host["name"]: host["address"] for host in listed})

    def down(self) -> None:
        """Remove it."""
        kubexms("lab", "down", "--name", self.name)

    def do(self, verb: str, host: str) -> None:
        """Kill, start, cut or heal a host."""
        kubexms("lab", verb, host, "--name", self.name)

    def ssh(self, host: str, *command: str, stdin: str = "") -> str:
        """Run a command on a host and return what it printed; the words are joined by a shell there."""
        key, known_hosts = (self.file.with_name(name) for name in ("ssh_key", "known_hosts"))
        options = ("-o", f"UserKnownHostsFile={known_hosts}", "-o", "BatchMode=yes", "-i", str(key))
        argv = ["ssh", *options, f"root@{self.hosts[host]}", *command]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=300, input=stdin)
        assert done.returncode == 0, f"{host}: {' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def everywhere(self, *command: str, stdin: str = "") -> dict[str, str]:
        """Run a command on all hosts at once and return what each printed."""
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            printed = pool.map(lambda host: self.ssh(host, *command, stdin=stdin), self.hosts)
            return dict(zip(self.hosts, printed, strict=True))

    def kubectl(self, *arguments: str, stdin: str = "", host: str = "node1") -> str:
        """Run kubectl on a control-plane host as administrator."""
        return self.ssh(host, *KUBECTL, *arguments, stdin=stdin)

    def get(self, *arguments: str, host: str = "node1") -> list[Document]:
        """Return the objects that ``kubectl get`` finds."""
        found: list[Document] = json.loads(self.kubectl("get", *arguments, "-o", "json", host=host))["items"]
        return found

    def ready_nodes(self, host: str = "node1") -> set[str]:
        """Return the names of the nodes that are Ready."""
        return {
            node["metadata"]["name"]
            for node in self.get("nodes", host=host)
            for condition in node["status"]["conditions"]
            if condition["type"] == "Ready" and condition["status"] == "True"
        }

    def edited(self, name: str, edit: Callable[[Document], None]) -> Path:
        """Write a changed copy of the lab's cluster.yaml beside it and return it."""
        document = yaml.safe_load(self.file.read_text())
        edit(document)
        path = self.file.with_name(f"{name}.yaml")
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path


def until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until a condition holds, or fail saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.2)


def module_calls(events: Sequence[Document]) -> dict[str, int]:
    """Return the module calls on each host: every task counts for each host of its stage.

    That is the most there can have been: a task that runs once for all hosts counts for all.
    """
    hosts: dict[tuple[str, str], list[str]] = {}
    calls: dict[str, int] = {}
    for event in events:
        if event["kind"] == "segment.started":
            hosts |= {(event["data"]["segment"], stage): names for stage, names in event["data"]["stages"]}
        elif event["kind"] == "task.started":
            for host in hosts[event["data"]["segment"], event["stage"]]:
                calls[host] = calls.get(host, 0) + 1
    return calls
