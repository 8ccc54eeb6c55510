# SPDX-License-Identifier: GPL-3.0-or-later
import ipaddress
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.lab.model import Lab, save
from kubexms.lab.settle import Found, Request, Workspace, find, settle


@pytest.fixture
def workspace(lab: Lab, tmp_path: Path) -> Workspace:
    return Workspace(labs=lab.directory.parent, cache=tmp_path / "cache")


def test_a_new_lab_has_the_defaults_and_a_subnet_of_its_own(
    ctx: Context, recorded: Any, workspace: Workspace
) -> None:
    found = find(ctx, recorded, workspace, "new")
    made = settle(ctx, recorded, workspace, Request("new"), found)
    assert found.containers == ()
    assert found.network is None
    assert made.subnet == ipaddress.IPv4Network("10.77.1.0/24"), "10.77.0.0/24 is the network of lab dev"
    assert made.directory == workspace.labs / "new"
    assert (len(made.hosts), sum(host.control_plane for host in made.hosts), made.memory) == (3, 1, "4g")


def test_each_new_lab_is_a_new_cluster_and_an_old_one_stays_its_cluster(
    ctx: Context, recorded: Any, workspace: Workspace
) -> None:
    found = find(ctx, recorded, workspace, "new")
    first, second = (settle(ctx, recorded, workspace, Request("new"), found) for _ in range(2))
    assert first.cluster != second.cluster
    first.directory.mkdir()
    save(first)
    assert settle(ctx, recorded, workspace, Request("new"), found).cluster == first.cluster


def test_a_new_lab_is_what_was_asked_for(ctx: Context, recorded: Any, workspace: Workspace) -> None:
    found = find(ctx, recorded, workspace, "new")
    made = settle(ctx, recorded, workspace, Request("new", 5, 3, "2g"), found)
    assert (len(made.hosts), sum(host.control_plane for host in made.hosts), made.memory) == (5, 3, "2g")


def test_a_lab_that_exists_stays_as_it_is(
    ctx: Context, recorded: Any, workspace: Workspace, lab: Lab
) -> None:
    save(lab)
    found = find(ctx, recorded, workspace, "dev")
    assert [container.host for container in found.containers] == ["node1", "node2"]
    assert settle(ctx, recorded, workspace, Request("dev"), found) == lab


def test_a_lab_grows_and_keeps_what_was_not_asked_for(
    ctx: Context, recorded: Any, workspace: Workspace, lab: Lab
) -> None:
    save(lab)
    grown = settle(ctx, recorded, workspace, Request("dev", hosts=4), find(ctx, recorded, workspace, "dev"))
    assert grown.hosts[:3] == lab.hosts
    assert [host.name for host in grown.hosts[3:]] == ["node4"]


def test_a_lab_does_not_shrink(ctx: Context, recorded: Any, workspace: Workspace) -> None:
    found = find(ctx, recorded, workspace, "dev")
    with pytest.raises(Refused, match="has 2 hosts already, more than the 1"):
        settle(ctx, recorded, workspace, Request("dev", hosts=1), found)


def test_a_lab_of_another_directory_is_not_touched(
    ctx: Context, recorded: Any, workspace: Workspace, tmp_path: Path
) -> None:
    other = Workspace(labs=tmp_path / "other", cache=workspace.cache)
    with pytest.raises(Refused, match="was made from"):
        find(ctx, recorded, other, "dev")


def test_a_bad_name_is_refused(ctx: Context, table: Any, workspace: Workspace) -> None:
    with pytest.raises(Refused):
        settle(ctx, table, workspace, Request("../x"), Found((), None, ()))
