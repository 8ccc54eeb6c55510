# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as first met, so that a machine behind a known name cannot be exchanged unnoticed."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from kubexms.context import Context
from kubexms.errors import IdentityMismatch, NotFound
from kubexms.store.database import Database
from kubexms.store.faults import ConstraintBroken
from kubexms.store.records import Host, HostIdentity, Mismatch, MismatchKind
from kubexms.store.tables import hosts


class Hosts:
    """The hosts of a store's clusters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, ctx: Context, cluster_id: str) -> tuple[Host, ...]:
        """Return the recorded hosts of a cluster by name."""
        with self._database.read(ctx) as connection:
            return tuple(_recorded(connection, cluster_id).values())

    def compare(self, ctx: Context, cluster_id: str, found: Sequence[HostIdentity]) -> tuple[Mismatch, ...]:
        """Return how the hosts contradict the record or each other; nothing is recorded."""
        with self._database.read(ctx) as connection:
            return tuple(mismatches(_recorded(connection, cluster_id), found))

    def record(self, ctx: Context, cluster_id: str, found: Sequence[HostIdentity]) -> None:
        """Trust new hosts on first use, complete the record of known ones and follow their addresses.

        Raises IdentityMismatch with every contradiction, and records nothing, where one is not the
        machine that was recorded.
        """
        try:
            with self._database.write(ctx) as connection:
                recorded = _recorded(connection, cluster_id)
                contradictions = [str(mismatch) for mismatch in mismatches(recorded, found)]
                if contradictions:
                    raise IdentityMismatch("; ".join(contradictions), hint=_HINT)
                for identity in found:
                    _write(connection, cluster_id, recorded.get(identity.name), identity)
        except ConstraintBroken as cause:
            raise NotFound(f"no cluster has the id {cluster_id}") from cause

    def forget(self, ctx: Context, cluster_id: str, names: Iterable[str]) -> None:
        """Remove the record of hosts that were reset, removed or replaced; unknown names are no error."""
        with self._database.write(ctx) as connection:
            chosen = hosts.c.cluster_id == cluster_id, hosts.c.name.in_(tuple(names))
            connection.execute(delete(hosts).where(*chosen))


_HINT = "if a host was replaced on purpose, remove its record first"


def mismatches(recorded: Mapping[str, Host], found: Sequence[HostIdentity]) -> Iterator[Mismatch]:
    """Yield how the hosts found contradict the recorded ones (by name) or each other. Pure."""
    machines = {host.machine_id: name for name, host in recorded.items() if host.machine_id}
    for identity in found:
        known = recorded.get(identity.name)
        if known is not None:
            yield from _changed(known, identity)
        if identity.machine_id:
            first = machines.setdefault(identity.machine_id, identity.name)
            if first != identity.name:
                yield Mismatch(MismatchKind.SAME_MACHINE, identity.name, first, identity.name)


def _changed(known: Host, identity: HostIdentity) -> Iterator[Mismatch]:
    """Yield what of a known host's identity is not as recorded."""
    pairs = (
        (MismatchKind.SSH_HOST_KEY, known.ssh_host_key, identity.ssh_host_key),
        (MismatchKind.MACHINE_ID, known.machine_id, identity.machine_id),
    )
    for kind, before, now in pairs:
        if before and now and before != now:
            yield Mismatch(kind, identity.name, before, now)


def _recorded(connection: Connection, cluster_id: str) -> dict[str, Host]:
    """Return the recorded hosts by name."""
    query = select(hosts).where(hosts.c.cluster_id == cluster_id).order_by(hosts.c.name)
    return {row["name"]: Host(**row) for row in connection.execute(query).mappings()}


def _write(connection: Connection, cluster_id: str, known: Host | None, identity: HostIdentity) -> None:
    """Insert a new host, or complete a known one."""
    if known is None:
        values = {
            "cluster_id": cluster_id,
            "name": identity.name,
            "address": identity.address,
            "machine_id": identity.machine_id or None,
            "ssh_host_key": identity.ssh_host_key or None,
            "first_seen": time.time(),
        }
        connection.execute(insert(hosts).values(values))
        return
    completed = replace(
        known,
        address=identity.address,
        machine_id=known.machine_id or identity.machine_id or None,
        ssh_host_key=known.ssh_host_key or identity.ssh_host_key or None,
    )
    if completed != known:
        row = update(hosts).where(hosts.c.cluster_id == cluster_id, hosts.c.name == identity.name)
        connection.execute(
            row.values(
                address=completed.address,
                machine_id=completed.machine_id,
                ssh_host_key=completed.ssh_host_key,
            )
        )
