# SPDX-License-Identifier: GPL-3.0-or-later
"""The database file: opened with its safety settings, read and written in whole transactions.

Everything that is particular to SQLite is in this file. Concurrent processes share the file: readers
never wait, a writer waits for another one up to ``BUSY_SECONDS``. After a kill at any moment the file
holds exactly what was committed (https://www.sqlite.org/wal.html).
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select

from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.store import tables
from kubexms.store.faults import BUSY_SECONDS, named, named_errors

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
)


class Database:
    """An open database. Threads may share it; a forked child must open its own."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self, ctx: Context) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state of the database."""
        with self._transaction(ctx, "BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self, ctx: Context) -> Iterator[Connection]:
        """Give the only writing connection; all of it is stored when the block ends well, else nothing.

        The lock is taken at the start, so what the block reads is still true when it writes.
        """
        with self._transaction(ctx, "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, ctx: Context, begin: str) -> Iterator[Connection]:
        """Begin with the given statement, commit at the end, name what went wrong."""
        ctx.check()
        with (
            named_errors(self.path),
            self._engine.connect().execution_options(begin=begin) as connection,
            connection.begin(),
        ):
            yield connection

    def backup(self, ctx: Context, path: Path) -> None:
        """Copy the database as it is now to a new file of mode 0600; writers go on meanwhile.

        The copy gets its name when it is complete. An older file of that name is replaced.
        """
        ctx.check()
        if path.resolve() == self.path.resolve():
            raise Refused(f"{path} is the database itself", hint="name another file for the backup")
        partial = path.with_name(f"{path.name}.partial")
        try:
            partial.unlink(missing_ok=True)
            _create_private(partial)
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(partial)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            partial.replace(path)
        except (OSError, sqlite3.Error) as cause:
            partial.unlink(missing_ok=True)
            raise named(cause, path) from cause


def open_database(ctx: Context, path: Path) -> Database:
    """Open the database file, made with mode 0600 (its directory 0700) and tables when new.

    Raises Refused for a file that a newer kubexms wrote, StoreFailed for one that is no database.
    """
    ctx.check()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_private(path)
    except OSError as cause:
        raise named(cause, path) from cause
    database = Database(path, _engine(path))
    try:
        _ensure_schema(ctx, database)
    except BaseException:
        database.close()
        raise
    return database


def _create_private(path: Path) -> None:
    """Create the file, or take group's and others' rights from the one that is there."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _engine(path: Path) -> Engine:
    """Return an engine whose connections have our settings and whose transactions we begin."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        hide_parameters=True,
        json_serializer=json.JSONEncoder(separators=(",", ":")).encode,
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    """Apply the settings that SQLite keeps per connection."""
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    """Begin a transaction ourselves: the driver would begin one at the first write only."""
    connection.exec_driver_sql(connection.get_execution_options()["begin"])


def _ensure_schema(ctx: Context, database: Database) -> None:
    """Make the tables of a new database, refuse those of a newer version."""
    with database.read(ctx) as connection:
        version = _schema_version(connection)
    if version is None:
        with database.write(ctx) as connection:
            version = _schema_version(connection) or _create_schema(connection)
    if version > tables.SCHEMA_VERSION:
        raise Refused(
            f"the database {database.path} has schema {version}, written by a newer kubexms;"
            f" this one knows {tables.SCHEMA_VERSION}",
            hint="upgrade kubexms, or set KUBEXMS_STATE_DIR to another directory",
        )


def _schema_version(connection: Connection) -> int | None:
    """Return the version of the tables, None where there are none."""
    if not inspect(connection).has_table(tables.schema.name):
        return None
    return int(connection.execute(select(tables.schema.c.version)).scalar_one())


def _create_schema(connection: Connection) -> int:
    """Make the tables and return their version."""
    tables.metadata.create_all(connection)
    connection.execute(insert(tables.schema).values(id=1, version=tables.SCHEMA_VERSION))
    return tables.SCHEMA_VERSION
