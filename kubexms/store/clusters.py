# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters: a name, the id that hosts carry, and the definition last seen."""

import time
import uuid

from sqlalchemy import Connection, insert, select, update

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.store.database import Database
from kubexms.store.faults import ConstraintBroken
from kubexms.store.records import Cluster
from kubexms.store.tables import clusters


class Clusters:
    """The clusters of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, ctx: Context, name: str, *, path: str, definition_digest: str) -> Cluster:
        """Record the definition of the named cluster; a name met for the first time gets its id here.

        ``path`` is that of cluster.yaml, ``definition_digest`` that of what it says.
        """
        now = time.time()
        definition = {"path": path, "definition_digest": definition_digest}
        with self._database.write(ctx) as connection:
            known = _find(connection, name)
            if known is None:
                values = {"id": str(uuid.uuid4()), "name": name, "created_at": now, "updated_at": now}
                connection.execute(insert(clusters).values(**values, **definition))
            elif (known.path, known.definition_digest) != (path, definition_digest):
                changed = update(clusters).where(clusters.c.id == known.id)
                connection.execute(changed.values(**definition, updated_at=now))
            return _existing(connection, name)

    def adopt(self, ctx: Context, name: str, cluster_id: str) -> None:
        """Give a cluster that has no runs yet the id that its hosts carry: its records were lost.

        Raises Refused where the cluster has runs or hosts of its own.
        """
        try:
            with self._database.write(ctx) as connection:
                known = _existing(connection, name)
                row = update(clusters).where(clusters.c.id == known.id)
                connection.execute(row.values(id=cluster_id, updated_at=time.time()))
        except ConstraintBroken as cause:
            raise Refused(
                f"cluster {name} has runs of its own here; other hosts cannot be taken over",
                hint="use the state directory that made those hosts, or an empty one",
            ) from cause

    def get(self, ctx: Context, name: str) -> Cluster:
        """Return the cluster of that name or raise NotFound."""
        with self._database.read(ctx) as connection:
            return _existing(connection, name)

    def list(self, ctx: Context) -> tuple[Cluster, ...]:
        """Return all clusters by name."""
        with self._database.read(ctx) as connection:
            rows = connection.execute(select(clusters).order_by(clusters.c.name)).mappings()
            return tuple(Cluster(**row) for row in rows)


def _find(connection: Connection, name: str) -> Cluster | None:
    """Return the cluster of that name, if there is one."""
    row = connection.execute(select(clusters).where(clusters.c.name == name)).mappings().one_or_none()
    return None if row is None else Cluster(**row)


def _existing(connection: Connection, name: str) -> Cluster:
    """Return the cluster of that name or raise NotFound."""
    cluster = _find(connection, name)
    if cluster is None:
        raise NotFound(f"no cluster is called {name}", hint="deploy it first, or look at the names known")
    return cluster
