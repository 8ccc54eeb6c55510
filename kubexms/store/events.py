# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of runs: read by number; written by ``ingest`` alone."""

from collections.abc import Collection

from sqlalchemy import RowMapping, select

from kubexms.context import Context
from kubexms.store.database import Database
from kubexms.store.records import Event
from kubexms.store.tables import events


class Events:
    """The events of a store's runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        ctx: Context,
        run_id: str,
        *,
        after: int = 0,
        hosts: Collection[str] = (),
        stages: Collection[str] = (),
        kinds: Collection[str] = (),
        limit: int = 1000,
    ) -> tuple[Event, ...]:
        """Return up to ``limit`` events numbered above ``after``, in order, of those chosen where any are.

        Ask again with the last number for the rest; fewer than ``limit`` means there are no more yet.
        """
        query = select(events).where(events.c.run_id == run_id, events.c.seq > after).order_by(events.c.seq)
        for column, chosen in ((events.c.host, hosts), (events.c.stage, stages), (events.c.kind, kinds)):
            if chosen:
                query = query.where(column.in_(chosen))
        with self._database.read(ctx) as connection:
            return tuple(_event(row) for row in connection.execute(query.limit(limit)).mappings())

    def last(self, ctx: Context, run_id: str) -> Event | None:
        """Return the newest event, None before the first. A supervisor's last word is run.finished."""
        query = select(events).where(events.c.run_id == run_id).order_by(events.c.seq.desc()).limit(1)
        with self._database.read(ctx) as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else _event(row)


def _event(row: RowMapping) -> Event:
    """Return the record of a row."""
    return Event(**row)
