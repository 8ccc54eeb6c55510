# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked examples are valid and mean what their names say."""

from pathlib import Path

import pytest

from kubexms.cluster import control_plane_hosts, load, worker_hosts

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
SIZES = {
    "mirrors-labels-and-pinned-keys": (1, 3),
    "one-control-plane-two-workers": (1, 2),
    "single-node": (1, 1),
    "three-control-planes-two-workers": (3, 2),
}


def test_every_example_is_listed_here() -> None:
    assert sorted(path.parent.name for path in INVENTORIES.glob("*/cluster.yaml")) == sorted(SIZES)


@pytest.mark.parametrize("scenario", SIZES)
def test_an_example_is_valid(scenario: str) -> None:
    loaded = load(INVENTORIES / scenario / "cluster.yaml")
    assert loaded.warnings == ()
    hosts = (len(control_plane_hosts(loaded.cluster)), len(worker_hosts(loaded.cluster)))
    assert hosts == SIZES[scenario]
