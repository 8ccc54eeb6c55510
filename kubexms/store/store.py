# SPDX-License-Identifier: GPL-3.0-or-later
"""The door of the room: one open store with its clusters, hosts, runs, steps and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from kubexms.context import Context
from kubexms.store.clusters import Clusters
from kubexms.store.database import Database, open_database
from kubexms.store.events import Events
from kubexms.store.hosts import Hosts
from kubexms.store.ingest import ingest
from kubexms.store.records import Ingested, SpoolEvent
from kubexms.store.runs import Runs
from kubexms.store.steps import Steps

FILE_NAME = "kubexms.db"


@dataclass(frozen=True)
class Store:
    """An open store. Threads and processes may share the file; close it, or use ``with``."""

    database: Database
    clusters: Clusters
    hosts: Hosts
    runs: Runs
    steps: Steps
    events: Events

    @classmethod
    def open(cls, ctx: Context, directory: Path) -> Self:
        """Open the store in the state directory; both are made when they are not there.

        Raises Refused where a newer kubexms wrote it, StoreFailed where it cannot be used.
        """
        database = open_database(ctx, directory / FILE_NAME)
        return cls(
            database, Clusters(database), Hosts(database), Runs(database), Steps(database), Events(database)
        )

    def ingest(self, ctx: Context, run_id: str, events: Sequence[SpoolEvent], new_offset: int) -> Ingested:
        """Store events read from the run's spool up to byte ``new_offset``: all of it or nothing.

        Reading a part of the spool again changes nothing; the offset never moves back. Steps follow
        the events; the run's own state does not, that is for ``runs.transition``.
        """
        with self.database.write(ctx) as connection:
            return ingest(connection, run_id, events, new_offset)

    def backup(self, ctx: Context, path: Path) -> None:
        """Copy the store as it is now to one file of mode 0600, while others go on writing.

        To restore, put the copy in the place of the database while nothing has it open.
        """
        self.database.backup(ctx, path)

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
