# SPDX-License-Identifier: GPL-3.0-or-later
"""Socket directories: short, one for each run, and nobody else's."""

import os
from pathlib import Path

import pytest

from kubexms.runner import sockets
from kubexms.runner.sockets import DirectoryUnsafe, socket_directory


@pytest.fixture
def runtime(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the owner of a runtime directory, but not root."""
    user = os.geteuid() or 4711
    os.chown(short_path, user, -1)
    monkeypatch.setattr(sockets.os, "geteuid", lambda: user)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    mkdir = Path.mkdir

    def as_user(self: Path, mode: int = 0o777, *, exist_ok: bool = False) -> None:
        there = self.exists()
        mkdir(self, mode, exist_ok=exist_ok)
        if not there:
            os.chown(self, user, -1)

    monkeypatch.setattr(Path, "mkdir", as_user)
    return short_path


def test_it_is_short_private_and_the_same_each_time(runtime: Path) -> None:
    found = socket_directory(Path("/a/very/long/path" * 20))
    assert len(str(found)) < len(str(runtime)) + 30
    assert found.stat().st_mode & 0o777 == 0o700
    assert socket_directory(Path("/a/very/long/path" * 20)) == found
    assert socket_directory(Path("/another")) != found


def test_one_that_others_may_write_to_is_refused(runtime: Path) -> None:
    socket_directory(Path("/run/1")).parent.chmod(0o777)
    with pytest.raises(DirectoryUnsafe, match="is not private"):
        socket_directory(Path("/run/1"))


def test_a_link_laid_by_another_is_refused(runtime: Path) -> None:
    found = socket_directory(Path("/run/1"))
    found.rmdir()
    found.symlink_to(runtime)
    with pytest.raises(DirectoryUnsafe):
        socket_directory(Path("/run/1"))


def test_root_uses_the_machines_own_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    found = socket_directory(Path("/run/of/a/test"))
    try:
        assert found.parent == Path("/run/kubexms-0")
    finally:
        found.rmdir()
