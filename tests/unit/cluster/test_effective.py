# SPDX-License-Identifier: GPL-3.0-or-later
"""What a valid file means, with all defaults applied."""

from collections.abc import Callable

import pytest

from kubexms.cluster import (
    Cluster,
    EffectiveSsh,
    control_plane_hosts,
    dns_address,
    effective_ssh,
    endpoint,
    endpoint_host,
    first_control_plane,
    hosts_by_name,
    internal_address,
    max_unavailable,
    role_members,
    roles_by_host,
    worker_hosts,
)

Make = Callable[..., Cluster]


def test_roles_are_expanded_in_the_order_of_the_group(cluster_of: Make) -> None:
    cluster = cluster_of(("[node1]\n", '["node[3:3]", node1, node2]\n'))
    assert [host.name for host in control_plane_hosts(cluster)] == ["node3", "node1", "node2"]
    assert [host.name for host in worker_hosts(cluster)] == ["node2", "node3"]
    assert first_control_plane(cluster).name == "node3"
    assert list(hosts_by_name(cluster)) == ["node1", "node2", "node3"]
    assert roles_by_host(cluster) == {
        "node1": ("control-plane", "etcd"),
        "node2": ("control-plane", "worker", "etcd"),
        "node3": ("control-plane", "worker", "etcd"),
    }


def test_stacked_etcd_is_where_the_control_plane_is(cluster_of: Make) -> None:
    cluster = cluster_of("")
    assert role_members(cluster, "etcd") == ("node1",)
    assert role_members(cluster, "loadbalancer") == ()


def test_a_connection_has_safe_defaults(cluster_of: Make) -> None:
    cluster = cluster_of("")
    assert effective_ssh(cluster, cluster.spec.hosts[0]) == EffectiveSsh(
        address="10.0.0.1",
        user="root",
        port=22,
        private_key_file=None,
        known_hosts_file=None,
        host_key=None,
        become=False,
        connect_timeout=10,
    )


def test_a_host_overrides_what_is_common(cluster_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    key = "ssh-ed25519 " + "A" * 68
    own = f"user: root, become: false, port: 22, privateKeyFile: ~/own, hostKey: {key}, connectTimeout: 3"
    text = "    - {name: node3, address: 10.0.0.3}\n"
    common = "  ssh: {user: admin, become: true, port: 2222, privateKeyFile: common, knownHostsFile: known}\n"
    cluster = cluster_of((text, f"    - {{name: node3, address: 10.0.0.3, ssh: {{{own}}}}}\n{common}"))
    assert effective_ssh(cluster, cluster.spec.hosts[2]) == EffectiveSsh(
        "10.0.0.3", "root", 22, "/home/me/own", "known", key, become=False, connect_timeout=3
    )
    assert effective_ssh(cluster, cluster.spec.hosts[0]) == EffectiveSsh(
        "10.0.0.1", "admin", 2222, "common", "known", None, become=True, connect_timeout=10
    )


def test_the_endpoint_is_the_first_control_plane_host_or_what_is_given(cluster_of: Make) -> None:
    first = (
        "{name: node1, address: 10.0.0.1}",
        "{name: node1, address: n1.example.com, internalAddress: 10.1.0.1}",
    )
    assert endpoint(cluster_of("")) == "10.0.0.1:6443"
    assert endpoint(cluster_of(first)) == "10.1.0.1:6443"
    given = cluster_of("  controlPlaneEndpoint: {address: api.example.com, port: 443}\n")
    assert (endpoint(given), endpoint_host(given)) == ("api.example.com:443", "api.example.com")


def test_the_internal_address_is_the_address_unless_given(cluster_of: Make) -> None:
    cluster = cluster_of(("address: 10.0.0.2", "address: 10.0.0.2, internalAddress: 10.1.0.2"))
    assert [internal_address(host) for host in cluster.spec.hosts] == ["10.0.0.1", "10.1.0.2", "10.0.0.3"]


def test_dns_is_the_tenth_address_of_services(cluster_of: Make) -> None:
    assert dns_address(cluster_of("")) == "10.96.0.10"
    assert dns_address(cluster_of("  network: {serviceCIDR: 172.30.0.64/26}\n")) == "172.30.0.74"


@pytest.mark.parametrize(
    ("wanted", "expected"), [("1", 1), ("7", 7), ("1%", 1), ("50%", 1), ("99%", 1), ("100%", 2)]
)
def test_max_unavailable_is_a_number_of_workers(cluster_of: Make, wanted: str, expected: int) -> None:
    assert max_unavailable(cluster_of(f"  rollout: {{maxUnavailable: {wanted}}}\n")) == expected


@pytest.mark.parametrize("version", ["v1.36.3", "1.36.3"])
def test_a_version_has_its_v(cluster_of: Make, version: str) -> None:
    assert cluster_of(f"  kubernetes: {{version: {version}}}\n").spec.kubernetes.version == "v1.36.3"


def test_empty_sections_are_default_sections(cluster_of: Make) -> None:
    names = "ssh kubernetes etcd controlPlaneEndpoint containerRuntime network dns system rollout artifacts"
    empty = cluster_of("".join(f"  {name}:\n" for name in names.split()))
    assert empty == cluster_of("".join(f"  {name}: {{}}\n" for name in names.split()))
    assert empty == cluster_of("")


def test_a_cluster_cannot_be_changed(cluster_of: Make) -> None:
    with pytest.raises(ValueError, match="frozen"):
        cluster_of("").spec.hosts[0].name = "other"  # type: ignore[misc]
