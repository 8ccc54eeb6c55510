# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is trusted when first met; afterwards it must be the same machine."""

from collections.abc import Callable

import pytest

from kubexms.context import Context
from kubexms.errors import IdentityMismatch, NotFound
from kubexms.store.records import Cluster, Host, HostIdentity, Mismatch, MismatchKind
from kubexms.store.store import Store

N1 = HostIdentity("n1", "10.0.0.1", "machine-1", "ssh-ed25519 AAAA1")
N2 = HostIdentity("n2", "10.0.0.2", "machine-2", "ssh-ed25519 AAAA2")


def test_hosts_are_recorded_when_first_met(
    ctx: Context, store: Store, cluster: Cluster, clock: Callable[[float], None]
) -> None:
    clock(50.0)
    store.hosts.record(ctx, cluster.id, [N2, N1])
    clock(60.0)
    store.hosts.record(ctx, cluster.id, [N1, N2])
    assert store.hosts.list(ctx, cluster.id) == (
        Host(cluster.id, "n1", "10.0.0.1", "machine-1", "ssh-ed25519 AAAA1", 50.0),
        Host(cluster.id, "n2", "10.0.0.2", "machine-2", "ssh-ed25519 AAAA2", 50.0),
    )


def test_what_was_not_known_is_completed_and_never_lost(ctx: Context, store: Store, cluster: Cluster) -> None:
    store.hosts.record(ctx, cluster.id, [HostIdentity("n1", "10.0.0.1", ssh_host_key="ssh-ed25519 AAAA1")])
    store.hosts.record(ctx, cluster.id, [HostIdentity("n1", "10.0.0.9", machine_id="machine-1")])
    store.hosts.record(ctx, cluster.id, [HostIdentity("n1", "10.0.0.9")])
    (host,) = store.hosts.list(ctx, cluster.id)
    assert (host.address, host.machine_id, host.ssh_host_key) == (
        "10.0.0.9",
        "machine-1",
        "ssh-ed25519 AAAA1",
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (N1, ()),
        (HostIdentity("n1", "10.9.9.9"), ()),
        (HostIdentity("n3", "10.0.0.3", "machine-3", "ssh-ed25519 AAAA3"), ()),
        (
            HostIdentity("n1", "10.0.0.1", "machine-9", "ssh-ed25519 AAAA1"),
            (Mismatch(MismatchKind.MACHINE_ID, "n1", "machine-1", "machine-9"),),
        ),
        (
            HostIdentity("n1", "10.0.0.1", "machine-1", "ssh-ed25519 BBBB"),
            (Mismatch(MismatchKind.SSH_HOST_KEY, "n1", "ssh-ed25519 AAAA1", "ssh-ed25519 BBBB"),),
        ),
        (
            HostIdentity("n3", "10.0.0.1", "machine-1", "ssh-ed25519 AAAA1"),
            (Mismatch(MismatchKind.SAME_MACHINE, "n3", "n1", "n3"),),
        ),
    ],
    ids=["same", "nothing known", "new", "other machine", "other key", "second name"],
)
def test_contradictions_are_named_and_nothing_is_recorded(
    ctx: Context, store: Store, cluster: Cluster, found: HostIdentity, expected: tuple[Mismatch, ...]
) -> None:
    store.hosts.record(ctx, cluster.id, [N1, N2])
    before = store.hosts.list(ctx, cluster.id)
    assert store.hosts.compare(ctx, cluster.id, [found]) == expected
    assert store.hosts.list(ctx, cluster.id) == before


def test_record_refuses_all_when_one_is_wrong(ctx: Context, store: Store, cluster: Cluster) -> None:
    store.hosts.record(ctx, cluster.id, [N1])
    before = store.hosts.list(ctx, cluster.id)
    exchanged = HostIdentity("n1", "10.0.0.1", "machine-9", "ssh-ed25519 BBBB")
    with pytest.raises(IdentityMismatch) as caught:
        store.hosts.record(ctx, cluster.id, [N2, exchanged])
    assert "n1 has SSH host key ssh-ed25519 BBBB, recorded is ssh-ed25519 AAAA1" in caught.value.message
    assert "n1 has machine id machine-9, recorded is machine-1" in caught.value.message
    assert store.hosts.list(ctx, cluster.id) == before


def test_two_new_names_of_one_machine_are_refused(ctx: Context, store: Store, cluster: Cluster) -> None:
    twin = HostIdentity("n2", "10.0.0.2", "machine-1", "ssh-ed25519 AAAA2")
    with pytest.raises(IdentityMismatch, match="n2 is the same machine as n1"):
        store.hosts.record(ctx, cluster.id, [N1, twin])
    assert store.hosts.list(ctx, cluster.id) == ()


def test_a_forgotten_host_is_trusted_anew(ctx: Context, store: Store, cluster: Cluster) -> None:
    store.hosts.record(ctx, cluster.id, [N1, N2])
    store.hosts.forget(ctx, cluster.id, ["n1", "unknown"])
    store.hosts.record(ctx, cluster.id, [HostIdentity("n1", "10.0.0.1", "machine-9", "ssh-ed25519 BBBB")])
    assert [host.machine_id for host in store.hosts.list(ctx, cluster.id)] == ["machine-9", "machine-2"]


def test_clusters_do_not_see_each_other(ctx: Context, store: Store, cluster: Cluster) -> None:
    other = store.clusters.put(ctx, "test", path="/x", definition_digest="")
    store.hosts.record(ctx, cluster.id, [N1])
    store.hosts.record(ctx, other.id, [HostIdentity("n1", "10.0.0.8", "machine-8", "ssh-ed25519 CCCC")])
    store.hosts.forget(ctx, other.id, ["n1"])
    assert [host.name for host in store.hosts.list(ctx, cluster.id)] == ["n1"]


def test_hosts_need_their_cluster(ctx: Context, store: Store) -> None:
    with pytest.raises(NotFound, match="no cluster has the id nobody"):
        store.hosts.record(ctx, "nobody", [N1])
