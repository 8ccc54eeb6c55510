# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at all hosts at once: one supervisor, one module call per host, nothing changed."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kubexms import runner
from kubexms.context import Context
from kubexms.errors import KubexmsError
from kubexms.plan.observation import Look, Unreachable, from_probe
from kubexms.plan.stages import PROBE, STAGES
from kubexms.service.jobs import probe_job, write_files
from kubexms.service.model import Prepared
from kubexms.settings import Settings

_POLL_SECONDS = 0.05


class ProbeFailed(KubexmsError):
    """The probe itself failed on a host: neither an answer nor a lost connection."""

    code = "probe-failed"


DEPLOY_STAGES = tuple(stage.name for stage in STAGES)


def probe(
    ctx: Context, prepared: Prepared, settings: Settings, stages: Sequence[str] = DEPLOY_STAGES
) -> dict[str, Look]:
    """Return what was found on every host of the cluster, in the order of the file.

    Raises ProbeFailed when a host answered and the probe failed there.
    """
    directory = settings.state_dir / "probes" / secrets.token_hex(8)
    directory.mkdir(mode=0o700, parents=True)
    try:
        write_files(prepared, directory)
        runner.start(ctx, probe_job(ctx, prepared, settings, directory, stages), directory)
        return _collect(prepared, _finished_events(ctx, directory))
    finally:
        runner.reap(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _finished_events(ctx: Context, directory: Path) -> list[runner.Event]:
    """Return all events of a probe when it is over; a cancelled context cancels it."""
    events: list[runner.Event] = []
    offset = 0
    while True:
        alive = runner.is_alive(directory)
        new, offset = runner.read_events(directory, offset)
        events += new
        if not alive:
            return events
        ctx.wait(_POLL_SECONDS)


def _collect(prepared: Prepared, events: list[runner.Event]) -> dict[str, Look]:
    looks: dict[str, Look] = {}
    failures: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event.kind == runner.Kind.OBSERVATION:
            looks[event.host] = from_probe(event.host, event.data)
        elif event.kind in (runner.Kind.HOST_UNREACHABLE, runner.Kind.STEP_FAILED):
            failures[event.host] = event.data["error"]
    for host in prepared.cluster.spec.hosts:
        if host.name not in looks:
            looks[host.name] = _missing(host.name, failures.get(host.name))
    return {host.name: looks[host.name] for host in prepared.cluster.spec.hosts}


def _missing(host: str, error: Mapping[str, Any] | None) -> Unreachable:
    if error is None:
        raise ProbeFailed(
            f"the probe ended without a word on {host}",
            hint=f"run ansible-playbook with {PROBE.name} by hand to see why; see docs/operations.md",
        )
    if error["code"] != "unreachable":
        raise ProbeFailed(f"the probe failed on {host}: {error['message']}", hint=str(error.get("hint", "")))
    return Unreachable(host, str(error["code"]), str(error["message"]))
