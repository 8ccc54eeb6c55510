# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan to the job that a supervisor carries out."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kubexms import runner
from kubexms.cluster import control_plane_hosts
from kubexms.context import Context
from kubexms.plan.model import Plan
from kubexms.plan.model import Segment as PlannedSegment
from kubexms.plan.stages import PROBE, RESET, STAGES
from kubexms.service.model import Planned, Prepared
from kubexms.settings import Settings
from kubexms.store.records import Run

INVENTORY = "inventory.yml"
Segments = tuple[runner.Segment, ...]


def write_files(prepared: Prepared, directory: Path) -> None:
    """Write what the job names into the run's directory. No secret is in it: references only."""
    path = directory / INVENTORY
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(prepared.inventory.as_yaml())


def probe_job(
    ctx: Context, prepared: Prepared, settings: Settings, directory: Path, stages: Sequence[str]
) -> runner.Job:
    """Return the job that looks at every host and compares the stages there."""
    hosts = tuple(host.name for host in prepared.cluster.spec.hosts)
    variables = {"kubexms_probe_stages": list(stages)}
    segment = runner.Segment(PROBE.name, ((PROBE.name, hosts),), variables=variables)
    return _job(ctx, prepared, settings, directory, (segment,))


def run_job(ctx: Context, run: Run, planned: Planned, settings: Settings) -> runner.Job:
    """Return the job of a run's plan."""
    plan, prepared = planned.plan, planned.prepared
    segments = tuple(_segment(segment, plan, prepared) for segment in plan.segments)
    return replace(
        _job(ctx, prepared, settings, run.directory, segments),
        run_id=run.id,
        verb=planned.verb,
        timeout_seconds=planned.options.timeout,
        files={digest: str(path) for digest, path in prepared.resolved.blobs().items()},
    )


def _segment(segment: PlannedSegment, plan: Plan, prepared: Prepared) -> runner.Segment:
    leaders = [host.name for host in control_plane_hosts(prepared.cluster)]
    others = () if plan.is_new else tuple(name for name in leaders if name != plan.delegate)
    return runner.Segment(
        id=segment.name,
        stages=segment.stages,
        after=segment.after,
        needs=segment.needs,
        delegates=(plan.delegate, *others) if plan.delegate else (),
        variables={"kubexms_silent_hosts": [look.host for look in plan.unreachable]},
    )


def _job(
    ctx: Context, prepared: Prepared, settings: Settings, directory: Path, segments: Segments
) -> runner.Job:
    """Return a job of segments, with the retries and time limits of every stage there is."""
    stages = (*STAGES, RESET, PROBE)
    return runner.Job(
        run_id=directory.name,
        trace_id=ctx.trace_id,
        verb=PROBE.name,
        inventory_file=str(directory / INVENTORY),
        collections_path=str(settings.collections_path),
        segments=segments,
        retries={
            stage.name: runner.Retry(stage.retry.attempts, stage.retry.delay_seconds, stage.retry.backoff)
            for stage in stages
        },
        stage_timeouts={stage.name: float(stage.timeout_seconds) for stage in stages},
        forks=min(settings.forks, len(prepared.cluster.spec.hosts)),
        environment=prepared.environment,
    )
