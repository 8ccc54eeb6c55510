# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer per host."""

from __future__ import annotations

import errno
import fcntl

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _lock


def test_held_for_the_block_and_free_after_it(host, client):
    for _time in range(2):
        with _lock.host_lock(client, seconds=0):
            assert host.path("/run/kubexms/lock").exists()
    assert host.path("/run/kubexms").stat().st_mode & 0o777 == 0o700


def test_a_second_writer_is_told_what_to_do(host, client):
    with _lock.host_lock(client, seconds=0):
        second = _lock.host_lock(client, seconds=0)
        with pytest.raises(_lock.LockedError, match="another module is still at work") as caught:
            second.__enter__()
        assert (caught.value.code, caught.value.retriable) == ("locked", True)


def test_another_error_is_not_taken_for_a_lock(host, client, monkeypatch):
    def refuse(_handle, _operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"), _lock.host_lock(client):
        pytest.fail("locked")
