# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs on fresh labs: by kubexms, and by the shell script it is held against."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import BenchFailed
from bench.memory import Sampler
from tests.e2e.harness import Document, Lab, Outcome, change, module_calls

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """A cluster's size, written 3+2: control-plane hosts and workers."""

    control_planes: int
    workers: int

    def __str__(self) -> str:
        return f"{self.control_planes}+{self.workers}"

    @property
    def hosts(self) -> int:
        """All hosts."""
        return self.control_planes + self.workers


@dataclass(frozen=True)
class Install:
    """One install: wall time in seconds, and its parts by name."""

    seconds: float
    parts: dict[str, float]
    calls: dict[str, int] = field(default_factory=dict)
    second_seconds: float = 0.0
    second_calls: dict[str, int] = field(default_factory=dict)
    peak_pss: float = 0.0
    peak_rss: float = 0.0


@contextmanager
def fresh_lab(purpose: str, size: Size) -> Iterator[Lab]:
    """Give a lab with nothing on its hosts, and remove it afterwards."""
    lab = Lab.up(purpose, size.hosts, size.control_planes)
    try:
        yield lab
    finally:
        lab.down()


def by_kubexms(size: Size) -> Install:
    """Deploy with ``kubexms deploy``, then once more with nothing to change."""
    with fresh_lab("bench", size) as lab:
        with Sampler(lab.file.parents[2]) as sampler:
            first = change("deploy", lab.file)
        second = change("deploy", lab.file)
        check_ready(lab, size)
    if second.changed:
        steps = ", ".join(f"{stage} on {host}" for stage, host in sorted(second.steps))
        raise BenchFailed(f"the second deploy changed something: {steps}")
    return Install(
        first.seconds,
        stage_seconds(first),
        with_probe(lab, first),
        second.seconds,
        with_probe(lab, second),
        sampler.peak_pss,
        sampler.peak_rss,
    )


def by_script(size: Size, kit: Path) -> Install:
    """Deploy with baseline.sh."""
    with fresh_lab("bench", size) as lab:
        key, known_hosts = (str(lab.file.with_name(name)) for name in ("ssh_key", "known_hosts"))
        argv = [str(HERE / "baseline.sh"), str(kit), key, known_hosts, str(size.control_planes)]
        begin = time.monotonic()
        done = subprocess.run(
            [*argv, *lab.hosts.values()], check=True, stdout=subprocess.PIPE, text=True, timeout=900
        )
        seconds = time.monotonic() - begin
        check_ready(lab, size)
    parts = dict(line.split() for line in done.stdout.splitlines())
    return Install(seconds, {name: float(value) for name, value in parts.items()})


def check_ready(lab: Lab, size: Size) -> None:
    """Fail unless every host is a Ready node: an install that is not one has no time."""
    ready = lab.ready_nodes()
    if len(ready) != size.hosts:
        raise BenchFailed(f"of {size}, only {', '.join(sorted(ready))} are Ready")


def with_probe(lab: Lab, outcome: Outcome) -> dict[str, int]:
    """Return the module calls per host: those of the run, and the one of the probe before it."""
    calls = module_calls(outcome.events)
    return {host: calls.get(host, 0) + 1 for host in lab.hosts}


def stage_seconds(outcome: Outcome) -> dict[str, float]:
    """Return the wall time of each stage, from its first host's start to its last host's end.

    Stages overlap across hosts, so the sum is more than the whole. ``before`` is everything before the
    run's first event: validate, artifacts, probe, plan.
    """
    spans: dict[str, tuple[float, float]] = {}
    for event in outcome.events:
        if event["stage"] and event["kind"].startswith("step."):
            begin, end = spans.get(event["stage"], (event["time"], event["time"]))
            spans[event["stage"]] = min(begin, event["time"]), max(end, event["time"])
    run = run_seconds(outcome.events)
    parts = {"before": outcome.seconds - run}
    return parts | {stage: end - begin for stage, (begin, end) in spans.items()}


def run_seconds(events: list[Document]) -> float:
    """Return the seconds from a run's first event to its last; 0 for a run with nothing to do."""
    times = [event["time"] for event in events]
    return float(max(times) - min(times)) if times else 0.0
