# SPDX-License-Identifier: GPL-3.0-or-later
"""The file: private, checked when opened, whole when the disk is full, copied while in use."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from kubexms.context import Context
from kubexms.errors import Cancelled, Refused, StoreFailed, StoreFull
from kubexms.store import database, faults, tables
from kubexms.store.records import Cluster, Event, Run
from kubexms.store.store import FILE_NAME, Store


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def pragma(store: Store, name: str) -> object:
    """Return a setting of the store's connection."""
    with store.database.read(Context()) as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_files_are_private_whatever_the_umask(ctx: Context, tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        with Store.open(ctx, tmp_path / "a" / "state") as store:
            store.clusters.put(ctx, "prod", path="/x", definition_digest="")
            modes = {path.name: mode(path) for path in (tmp_path / "a" / "state").iterdir()}
    finally:
        os.umask(previous)
    assert modes == {FILE_NAME: 0o600, f"{FILE_NAME}-wal": 0o600, f"{FILE_NAME}-shm": 0o600}
    assert mode(tmp_path / "a" / "state") == 0o700


def test_an_open_file_is_closed_to_others_on_the_next_open(ctx: Context, tmp_path: Path) -> None:
    Store.open(ctx, tmp_path).close()
    (tmp_path / FILE_NAME).chmod(0o644)
    Store.open(ctx, tmp_path).close()
    assert mode(tmp_path / FILE_NAME) == 0o600


def test_the_settings_are_on(store: Store) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 1
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "busy_timeout") == faults.BUSY_SECONDS * 1000


def test_what_was_stored_is_there_on_the_next_open(ctx: Context, tmp_path: Path) -> None:
    with Store.open(ctx, tmp_path) as store:
        cluster = store.clusters.put(ctx, "prod", path="/x", definition_digest="sha256:1")
    with Store.open(ctx, tmp_path) as store:
        assert store.clusters.list(ctx) == (cluster,)


def test_a_newer_database_is_refused_and_left_alone(ctx: Context, tmp_path: Path) -> None:
    Store.open(ctx, tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = 99")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(Refused, match=r"has schema 99, written by a newer kubexms; this one knows 1"):
        Store.open(ctx, tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_the_schema_version_is_raised_when_a_table_changes(store: Store) -> None:
    """Whoever changes a column sees this fail: raise SCHEMA_VERSION, and say how old files follow."""
    assert tables.SCHEMA_VERSION == 1
    assert {table.name: len(table.columns) for table in tables.metadata.tables.values()} == {
        "schema_version": 2,
        "clusters": 6,
        "hosts": 6,
        "runs": 13,
        "steps": 11,
        "events": 9,
    }


def test_a_file_that_is_no_database_is_an_error(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database file at all\n" * 100)
    with pytest.raises(StoreFailed, match="the file is not a database; restore a backup"):
        Store.open(ctx, tmp_path)


def test_a_directory_that_cannot_be_is_an_error(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match="cannot be used"):
        Store.open(ctx, tmp_path / "file" / "state")


def test_a_link_in_the_place_of_the_database_is_not_followed(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreFailed):
        Store.open(ctx, tmp_path)
    assert (tmp_path / "elsewhere").read_text() == ""


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    ids: list[str] = []

    def open_and_put() -> None:
        barrier.wait()
        with Store.open(Context(), tmp_path) as store:
            ids.append(store.clusters.put(Context(), "prod", path="/x", definition_digest="").id)

    threads = [threading.Thread(target=open_and_put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_writer_that_waits_too_long_says_so(
    ctx: Context, store: Store, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PRAGMAS", (*database._PRAGMAS, "PRAGMA busy_timeout = 1"))
    with (
        Store.open(ctx, store.database.path.parent) as other,
        store.database.write(ctx),
        pytest.raises(StoreFailed, match="another process has been writing"),
    ):
        other.clusters.put(ctx, "test", path="/x", definition_digest="")


def test_readers_do_not_wait_for_a_writer_and_see_nothing_half(
    ctx: Context, store: Store, cluster: Cluster
) -> None:
    with Store.open(ctx, store.database.path.parent) as reader, store.database.write(ctx) as connection:
        connection.execute(tables.clusters.update().values(path="/half"))
        assert reader.clusters.list(ctx) == (cluster,)


def test_an_error_in_a_transaction_stores_nothing(ctx: Context, store: Store, cluster: Cluster) -> None:
    def change_and_fail() -> None:
        with store.database.write(ctx) as connection:
            connection.execute(tables.clusters.update().values(path="/half"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert store.clusters.list(ctx) == (cluster,)


def test_the_context_is_asked_first(store: Store, tmp_path: Path) -> None:
    cancelled = Context()
    cancelled.cancelled.set()
    for call in (
        lambda: store.clusters.list(cancelled),
        lambda: store.ingest(cancelled, "r1", [], 1),
        lambda: store.backup(cancelled, tmp_path / "copy"),
        lambda: Store.open(cancelled, tmp_path / "other"),
    ):
        with pytest.raises(Cancelled):
            call()
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "copy").exists()


def test_a_full_disk_is_a_typed_error_and_the_store_stays_whole(
    ctx: Context, store: Store, run: Run, make_event: Callable[..., Event]
) -> None:
    small = [make_event(1, "step.started")]
    store.ingest(ctx, run.id, small, 10)
    with store.database.read(ctx) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large = [make_event(seq, "step.done", host=f"n{seq}", text="x" * 5000) for seq in range(2, 40)]
    with pytest.raises(StoreFull, match="no space left for the database"):
        store.ingest(ctx, run.id, large, 9999)
    assert store.events.list(ctx, run.id) == tuple(small)
    assert store.runs.get(ctx, run.id).spool_offset == 10
    assert [step.host for step in store.steps.list(ctx, run.id)] == ["n1"]
    assert pragma(store, "integrity_check") == "ok"
    with store.database.read(ctx) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert store.ingest(ctx, run.id, large, 9999).inserted == len(large)


def test_a_full_disk_is_known_by_the_systems_error_too(tmp_path: Path) -> None:
    assert isinstance(faults.named(OSError(errno.ENOSPC, "No space left on device"), tmp_path), StoreFull)
    assert type(faults.named(OSError(errno.EACCES, "Permission denied"), tmp_path)) is StoreFailed


def test_a_driver_error_outside_a_statement_is_named(ctx: Context, store: Store) -> None:
    with pytest.raises(StoreFailed, match="unlucky"), store.database.read(ctx):
        raise sqlite3.OperationalError("unlucky")


def test_errors_do_not_carry_the_values_of_rows(ctx: Context, store: Store, cluster: Cluster) -> None:
    with pytest.raises(StoreFailed) as caught, store.database.write(ctx) as connection:
        connection.execute(tables.clusters.insert().values(id="planted-value", name="prod"))
    chain = [str(caught.value), str(caught.value.__cause__)]
    assert all("planted-value" not in text for text in chain)


def test_a_backup_is_a_store_of_its_own(
    ctx: Context, store: Store, run: Run, make_event: Callable[..., Event], tmp_path: Path
) -> None:
    store.ingest(ctx, run.id, [make_event(1, "step.started")], 10)
    (tmp_path / "copies").mkdir()
    copy = tmp_path / "copies" / FILE_NAME
    store.backup(ctx, copy)
    store.ingest(ctx, run.id, [make_event(2, "step.done")], 20)
    assert [path.name for path in copy.parent.iterdir()] == [FILE_NAME]
    assert mode(copy) == 0o600
    with Store.open(ctx, copy.parent) as restored:
        assert [event.seq for event in restored.events.list(ctx, run.id)] == [1]
        assert restored.runs.get(ctx, run.id).spool_offset == 10
        assert pragma(restored, "integrity_check") == "ok"
    store.backup(ctx, copy)
    with Store.open(ctx, copy.parent) as restored:
        assert [event.seq for event in restored.events.list(ctx, run.id)] == [1, 2]


def test_a_backup_does_not_wait_for_a_writer(
    ctx: Context, store: Store, cluster: Cluster, tmp_path: Path
) -> None:
    with store.database.write(ctx) as connection:
        connection.execute(tables.clusters.update().values(path="/half"))
        store.backup(ctx, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT path FROM clusters").fetchall() == [(cluster.path,)]


def test_a_backup_that_fails_leaves_nothing(ctx: Context, store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="No such file or directory"):
        store.backup(ctx, tmp_path / "missing" / "copy.db")
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreFailed):
        store.backup(ctx, tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "taken"]


def test_the_database_is_not_overwritten_by_its_backup(ctx: Context, store: Store) -> None:
    with pytest.raises(Refused, match="is the database itself"):
        store.backup(ctx, store.database.path)


def test_a_statement_is_not_run_outside_a_transaction(ctx: Context, store: Store, cluster: Cluster) -> None:
    begun: list[str] = []
    sqlalchemy_event.listen(
        store.database._engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: begun.append(statement),
    )
    store.clusters.get(ctx, "prod")
    store.clusters.put(ctx, "prod", path="/y", definition_digest="")
    assert [statement for statement in begun if statement.startswith("BEGIN")] == [
        "BEGIN",
        "BEGIN IMMEDIATE",
    ]


def test_naming_the_room_and_its_records_does_not_import_sqlalchemy() -> None:
    code = "import sys, kubexms.store, kubexms.store.records; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
