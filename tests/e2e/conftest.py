# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for the end-to-end tests. One lives at a time: the next test file's lab waits for the room."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import Lab

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: it needs root, podman and minutes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.timeout(900))


@contextmanager
def booted(purpose: str, hosts: int, control_planes: int) -> Iterator[Lab]:
    """Give a lab and remove it afterwards; KUBEXMS_TEST_KEEP=1 leaves it for a look."""
    lab = Lab.up(purpose, hosts, control_planes)
    try:
        yield lab
    finally:
        if not os.environ.get("KUBEXMS_TEST_KEEP"):
            lab.down()


@pytest.fixture(scope="module")
def five_hosts() -> Iterator[Lab]:
    """Three control-plane hosts and two workers, with nothing on them."""
    with booted("five", 5, 3) as lab:
        yield lab


@pytest.fixture(scope="module")
def three_hosts() -> Iterator[Lab]:
    """One control-plane host and two workers, with nothing on them."""
    with booted("three", 3, 1) as lab:
        yield lab


@pytest.fixture(scope="module")
def one_host() -> Iterator[Lab]:
    """One control-plane host, with nothing on it."""
    with booted("one", 1, 1) as lab:
        yield lab
