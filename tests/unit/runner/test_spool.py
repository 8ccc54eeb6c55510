# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: numbers without gaps, readers by offset, torn last lines."""

import os
from pathlib import Path

import pytest

from kubexms.runner import spool as spool_module
from kubexms.runner.events import Draft, Kind
from kubexms.runner.spool import SPOOL, Spool, SpoolDamaged, read_events

TASK = Draft(Kind.TASK_STARTED, "host", task="Prepare")


def fill(directory: Path, count: int) -> None:
    with Spool(directory, "r1") as spool:
        for _ in range(count):
            spool.append(TASK)


def test_no_spool_yet_is_no_event(tmp_path: Path) -> None:
    assert read_events(tmp_path, 0) == ([], 0)
    assert read_events(tmp_path, 17) == ([], 17)


def test_readers_get_each_event_once(tmp_path: Path) -> None:
    with Spool(tmp_path, "r1") as spool:
        spool.append(TASK)
        first, offset = read_events(tmp_path, 0)
        spool.append(TASK)
        spool.append(TASK)
        rest, end = read_events(tmp_path, offset)
    assert [event.seq for event in first + rest] == [1, 2, 3]
    assert {event.run_id for event in first + rest} == {"r1"}
    assert read_events(tmp_path, end) == ([], end)


def test_the_spool_is_private(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    assert (tmp_path / SPOOL).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_torn_last_line_is_not_seen_and_is_cut_off(tmp_path: Path, cut: int) -> None:
    fill(tmp_path, 3)
    path = tmp_path / SPOOL
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])

    events, offset = read_events(tmp_path, 0)
    assert [event.seq for event in events] == [1, 2]
    assert offset == whole[:-cut].rfind(b"\n") + 1

    with Spool(tmp_path, "r1") as spool:
        assert spool.resumed
        assert spool.append(TASK).seq == 3
    again, _ = read_events(tmp_path, offset)
    assert [event.seq for event in again] == [3]


def test_zeros_after_a_power_cut_are_a_torn_line(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with (tmp_path / SPOOL).open("ab") as file:
        file.write(b"\0" * 100)
    assert len(read_events(tmp_path, 0)[0]) == 1
    with Spool(tmp_path, "r1") as spool:
        assert spool.append(TASK).seq == 2


def test_a_foreign_line_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with (tmp_path / SPOOL).open("ab") as file:
        file.write(b"hello\n")
    with pytest.raises(SpoolDamaged, match="hello"):
        read_events(tmp_path, 0)


def test_an_empty_spool_starts_at_one(tmp_path: Path) -> None:
    with Spool(tmp_path, "r1") as spool:
        assert not spool.resumed
        assert spool.append(TASK).seq == 1


def test_sync_reaches_the_disk_once_for_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(spool_module.os, "fdatasync", calls.append)
    with Spool(tmp_path, "r1") as spool:
        spool.sync()
        spool.append(TASK)
        spool.append(TASK)
        spool.sync()
        spool.sync()
        assert len(calls) == 1
    assert len(calls) == 1


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(spool_module.os, "write", lambda file, data: write(file, data[:10]))
    fill(tmp_path, 2)
    assert [event.seq for event in read_events(tmp_path, 0)[0]] == [1, 2]
