# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters keep their id; their definition is the last one seen."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.store.store import Store


def test_a_new_name_gets_an_id_and_keeps_it(
    ctx: Context, store: Store, clock: Callable[[float], None]
) -> None:
    clock(100.0)
    first = store.clusters.put(ctx, "prod", path="/a.yaml", definition_digest="sha256:1")
    assert str(uuid.UUID(first.id)) == first.id
    assert (first.created_at, first.updated_at) == (100.0, 100.0)
    clock(200.0)
    second = store.clusters.put(ctx, "prod", path="/b.yaml", definition_digest="sha256:2")
    assert second == replace(first, path="/b.yaml", definition_digest="sha256:2", updated_at=200.0)
    assert store.clusters.get(ctx, "prod") == second


def test_the_same_definition_changes_nothing(
    ctx: Context, store: Store, clock: Callable[[float], None]
) -> None:
    clock(100.0)
    first = store.clusters.put(ctx, "prod", path="/a.yaml", definition_digest="sha256:1")
    clock(200.0)
    assert store.clusters.put(ctx, "prod", path="/a.yaml", definition_digest="sha256:1") == first


def test_clusters_are_listed_by_name(ctx: Context, store: Store) -> None:
    assert store.clusters.list(ctx) == ()
    made = {name: store.clusters.put(ctx, name, path="/x", definition_digest="") for name in ("b", "a", "c")}
    assert store.clusters.list(ctx) == (made["a"], made["b"], made["c"])
    assert len({cluster.id for cluster in made.values()}) == 3


def test_an_unknown_name_is_not_found(ctx: Context, store: Store) -> None:
    with pytest.raises(NotFound, match="no cluster is called nobody"):
        store.clusters.get(ctx, "nobody")


def test_a_cluster_without_runs_takes_the_id_that_its_hosts_carry(ctx: Context, store: Store) -> None:
    store.clusters.put(ctx, "lost", path="/lost.yaml", definition_digest="d")
    store.clusters.adopt(ctx, "lost", "id-of-the-hosts")
    assert store.clusters.get(ctx, "lost").id == "id-of-the-hosts"


def test_a_cluster_with_runs_keeps_its_id(ctx: Context, store: Store, tmp_path: Path) -> None:
    known = store.clusters.put(ctx, "busy", path="/busy.yaml", definition_digest="d")
    store.runs.create(ctx, known.id, "deploy", tmp_path)
    with pytest.raises(Refused, match="runs of its own"):
        store.clusters.adopt(ctx, "busy", "id-of-the-hosts")
    assert store.clusters.get(ctx, "busy").id == known.id
