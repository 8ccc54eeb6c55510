# SPDX-License-Identifier: GPL-3.0-or-later
"""The record: first values are kept, files come back as they were."""

from __future__ import annotations

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record


@pytest.fixture
def record(host):
    return Record()


def test_what_is_saved_is_read(record, host):
    record.stage("kubelet")["running"] = "x"
    record.save()
    assert Record().stage("kubelet") == {"running": "x"}
    assert host.path("/var/lib/kubexms/state.json").stat().st_mode & 0o777 == 0o600


def test_the_first_value_is_kept(record):
    record.remember("host", "hostname", "debian")
    record.remember("host", "hostname", "node1")
    assert record.prior("host") == {"hostname": "debian"}
    assert record.prior("files") == {}


def test_a_stage_is_forgotten(record):
    record.stage("host")["a"] = 1
    record.forget("host")
    record.forget("never")
    assert record.stage("host") == {}


def test_a_file_comes_back_with_its_mode(record, host):
    path = host.write("/etc/a", "theirs", 0o640)
    record.keep_file("runtime", str(path))
    host.write("/etc/a", "ours")
    record.keep_file("runtime", str(path))
    record.restore_file("runtime", str(path))
    assert path.read_text() == "theirs"
    assert path.stat().st_mode & 0o777 == 0o640
    assert record.kept_files("runtime") == {}
    assert list(host.path("/var/lib/kubexms/prior").iterdir()) == []
    assert [entry.name for entry in path.parent.iterdir()] == ["a"]


def test_a_file_that_was_not_there_goes(record, host):
    path = host.path("/etc/a")
    record.keep_file("runtime", str(path))
    host.write("/etc/a", "ours")
    record.restore_file("runtime", str(path))
    assert not path.exists()


def test_what_a_cut_off_writer_left_goes_too(record, host):
    path = host.path("/opt/bin/ctr")
    record.keep_file("files", str(path))
    host.write("/opt/bin/.kubexms-ctr-0123.part", "half")
    host.write("/opt/bin/.theirs", "")
    record.restore_file("files", str(path))
    assert [entry.name for entry in path.parent.iterdir()] == [".theirs"]


def test_a_copy_that_was_lost_is_no_obstacle(record, host):
    path = host.write("/etc/a", "theirs")
    record.keep_file("runtime", str(path))
    for copy in host.path("/var/lib/kubexms/prior").iterdir():
        copy.unlink()
    record.restore_file("runtime", str(path))
    assert not path.exists()
