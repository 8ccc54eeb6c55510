# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the artifacts tests."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubexms.artifacts.cache import Cache
from kubexms.artifacts.model import Item
from kubexms.artifacts.progress import Silent
from kubexms.artifacts.sources import Desk
from kubexms.context import Context
from kubexms.settings import Settings
from tests.unit.artifacts.helpers import VERSION, Site, contents, fill


@pytest.fixture
def ctx() -> Context:
    return Context()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def desk(cache: Cache) -> Desk:
    return Desk(cache, Silent())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return fill(tmp_path / "artifacts", contents())


@pytest.fixture
def settings(tmp_path: Path, directory: Path) -> Settings:
    return Settings(
        cache_dir=tmp_path / "cache",
        state_dir=tmp_path / "state",
        artifact_directory=directory,
        artifact_offline=True,
    )


@pytest.fixture
def item() -> Item:
    return Item("kubernetes", VERSION, "amd64", "kubelet")


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a running loopback server."""
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts."""
    monkeypatch.setattr("kubexms.artifacts.web._FIRST_DELAY", 0.001)
