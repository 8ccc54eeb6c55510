# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: a process is named so exactly that no other can be taken for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubexms.runner import lease
from kubexms.runner.lease import LEASE, Lease, write_private


def test_the_lease_of_this_process_is_held(tmp_path: Path) -> None:
    taken = lease.take(tmp_path, tmp_path)
    assert lease.read(tmp_path) == taken
    assert taken.is_held()
    assert taken.process.pid == taken.pid
    assert (tmp_path / LEASE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", [{"boot_id": "another boot"}, {"start_time": 1}, {"pid": 2**22 + 1}])
def test_another_boot_or_process_does_not_hold_it(tmp_path: Path, change: dict[str, object]) -> None:
    assert not replace(lease.take(tmp_path, tmp_path), **change).is_held()  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"pid": 1}', "null"])
def test_what_is_no_lease_is_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / LEASE).write_text(content)
    assert lease.read(tmp_path) is None


def test_a_private_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.with_name("file.tmp").write_text("left by a crash")
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_leases_compare_by_value() -> None:
    assert Lease("b", 1, 2) == Lease("b", 1, 2)
