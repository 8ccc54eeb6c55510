# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cluster.yaml to everything that Ansible and the supervisor need of it."""

import hashlib
import socket
from collections.abc import Iterable
from pathlib import Path

from kubexms import artifacts
from kubexms.cluster import Cluster, control_plane_hosts, effective_ssh, load
from kubexms.context import Context
from kubexms.inventory.render import Given, render
from kubexms.service.model import Prepared, Progress
from kubexms.settings import Settings
from kubexms.store.store import Store

KNOWN_HOSTS = "known_hosts"


def prepare(ctx: Context, file: Path, settings: Settings, store: Store, progress: Progress) -> Prepared:
    """Validate a cluster.yaml, have its artifacts in the cache, and render its inventory.

    Raises ValidationFailed, ArtifactFailed, Refused.
    """
    file = file.resolve()
    loaded = load(file)
    cluster = loaded.cluster
    digest = hashlib.sha256(cluster.model_dump_json().encode()).hexdigest()
    record = store.clusters.put(ctx, cluster.metadata.name, path=str(file), definition_digest=digest)
    resolved = artifacts.resolve(ctx, needs(cluster), settings, artifacts.lock_path(file), progress)
    known_hosts = pinned_keys(cluster)
    given = Given(
        cluster_id=record.id,
        directory=file.parent,
        controller_addresses=controller_addresses(cluster),
        known_hosts=_known_hosts_path(settings, known_hosts),
        artifact_directory=resolved.directory,
    )
    return Prepared(
        file=file,
        cluster=cluster,
        cluster_id=given.cluster_id,
        warnings=loaded.warnings,
        resolved=resolved,
        inventory=render(cluster, resolved, given),
        known_hosts=known_hosts,
        environment=tuple(secret_variables(cluster)),
    )


def needs(cluster: Cluster) -> artifacts.Needs:
    """Return which artifacts a cluster is made of."""
    leaders = {host.name for host in control_plane_hosts(cluster)}
    plugin = cluster.spec.network.plugin
    return artifacts.Needs(
        kubernetes_version=cluster.spec.kubernetes.version,
        hosts=frozenset(
            ("control-plane" if host.name in leaders else "worker", host.arch) for host in cluster.spec.hosts
        ),
        network="flannel" if plugin == "flannel" else "none",
    )


def controller_addresses(cluster: Cluster) -> dict[str, str]:
    """Return, per host, the address that this machine uses towards it; no packet is sent.

    A host whose name does not resolve is left out: its probe will say what is wrong.
    """
    found = {}
    for host in cluster.spec.hosts:
        ssh = effective_ssh(cluster, host)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((ssh.address, ssh.port))
            except OSError:
                continue
            found[host.name] = probe.getsockname()[0]
    return found


def pinned_keys(cluster: Cluster) -> str:
    """Return the text of a known_hosts file (sshd(8)) with the host keys pinned in cluster.yaml."""
    lines = []
    for host in cluster.spec.hosts:
        ssh = effective_ssh(cluster, host)
        if ssh.host_key is not None:
            name = ssh.address if ssh.port == 22 else f"[{ssh.address}]:{ssh.port}"
            lines.append(f"{name} {ssh.host_key}\n")
    return "".join(lines)


def _known_hosts_path(settings: Settings, text: str) -> Path | None:
    """Write pinned keys to a file named by its content, so that no run changes another's."""
    if not text:
        return None
    folder = settings.state_dir / KNOWN_HOSTS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not path.exists():
        path.write_text(text, encoding="ascii")
    return path


def secret_variables(cluster: Cluster) -> Iterable[str]:
    """Return the names of the environment variables that the cluster's secrets refer to."""
    references = [
        registry.auth.password
        for registry in cluster.spec.container_runtime.registries
        if registry.auth is not None
    ]
    return sorted({reference.env for reference in references if reference.env is not None})
