# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms status``: how the cluster and its hosts are now, and how the last run went."""

from typing import TYPE_CHECKING, Any

import typer

from kubexms.cli.client import open_client
from kubexms.cli.output import ClusterFile, Format, Output, Steps, print_json, report_error
from kubexms.errors import KubexmsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubexms.plan.observation import Look
    from kubexms.service.model import Run


def status(file: ClusterFile, output: Output = Format.TEXT) -> None:
    """Show how the hosts and nodes are now, and how the last run went."""
    from kubexms.context import Context

    ctx = Context()
    try:
        with open_client(ctx) as client:
            looks = client.look(ctx, file, Steps(output))
            runs = client.runs(ctx, client.cluster_name(file), limit=1).items
    except KubexmsError as error:
        raise typer.Exit(report_error(error, output)) from error
    rows = [_row(look, looks) for look in looks.values()]
    last = runs[0] if runs else None
    if output is Format.JSON:
        print_json({"hosts": rows, "last_run": _run(last)})
    else:
        _print(rows, last)
    if any(not row["ready"] for row in rows):
        raise typer.Exit(2)


def _row(look: "Look", looks: "Mapping[str, Look]") -> dict[str, Any]:
    from kubexms.plan.observation import Unreachable

    if isinstance(look, Unreachable):
        return {"host": look.host, "ready": False, "state": "unreachable", "detail": look.message}
    node = _node(look.host, looks)
    pending = sorted(name for name, seen in look.stages.items() if seen.differences and name != "reset")
    state = (
        "not joined"
        if not look.joined
        else "unknown"
        if node is None
        else "ready"
        if node.ready
        else "not ready"
    )
    return {
        "host": look.host,
        "ready": state == "ready",
        "state": state,
        "role": "control-plane" if look.is_control_plane else "worker",
        "version": look.kubelet_version,
        "pending": pending,
    }


def _node(name: str, looks: "Mapping[str, Look]") -> Any:
    from kubexms.plan.observation import Observation

    for look in looks.values():
        if isinstance(look, Observation) and look.control_plane and look.control_plane.healthy:
            return next((node for node in look.control_plane.nodes if node.name == name), None)
    return None


def _print(rows: list[dict[str, Any]], last: "Run | None") -> None:
    width = max(len(row["host"]) for row in rows)
    for row in rows:
        detail = row.get("detail") or f"{row['role']:<13}  {row['version']}"
        print(f"{row['host']:<{width}}  {row['state']:<11}  {detail}")
        if row.get("pending") and row["state"] != "not joined":
            print(f"{'':<{width}}  differs from the file in: {', '.join(row['pending'])}")
    if last is not None:
        print(f"last run {last.id}: {last.verb} {last.state.value}")


def _run(run: "Run | None") -> dict[str, Any] | None:
    if run is None:
        return None
    return {"id": run.id, "verb": run.verb, "state": run.state.value, "created_at": run.created_at}
