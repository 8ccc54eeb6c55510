# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand hosts take no longer than they must, right or wrong."""

import time

import pytest

from kubexms.cluster import parse, roles_by_host, worker_hosts
from kubexms.errors import ValidationFailed

HOSTS = 1000
LIMIT = 1.0
"""Seconds; it takes about a tenth of it on a machine with nothing else to do."""


def large(change: str = "") -> str:
    hosts = "".join(
        f"    - name: node{number}\n"
        f"      address: 10.{100 + number // 250}.{number // 250}.{number % 250 + 1}\n"
        f"      labels: {{topology.kubernetes.io/zone: z{number % 3}, example.com/rack: r{number % 20}}}\n"
        f"      ssh: {{hostKey: ssh-ed25519 {number:068d}, port: {2200 + number % 7}{change}}}\n"
        for number in range(1, HOSTS + 1)
    )
    return (
        "apiVersion: kubexms.io/v1alpha1\nkind: Cluster\nmetadata: {name: large}\nspec:\n"
        f"  hosts:\n{hosts}"
        '  roleGroups: {control-plane: ["node[1:3]"], worker: ["node[4:1000]"]}\n'
        "  network: {podCIDR: 172.16.0.0/14, serviceCIDR: 192.168.0.0/16}\n"
        "  controlPlaneEndpoint: {address: api.example.com}\n"
    )


def processor_seconds(text: str) -> float:
    started = time.process_time()
    try:
        parse(text)
    except ValidationFailed as error:
        assert len(error.problems) > 100  # noqa: PT017 - either way is right here
    return time.process_time() - started


def test_a_thousand_hosts_are_loaded_in_no_time() -> None:
    assert processor_seconds(large()) < LIMIT


@pytest.mark.parametrize(
    "text",
    [large(", prot: 1"), large().replace("address: 10.", "address: 127."), large().replace("node1", "node")],
    ids=["unknown keys", "wrong addresses", "names twice"],
)
def test_a_thousand_mistakes_take_no_longer(text: str) -> None:
    assert processor_seconds(text) < 3 * LIMIT


def test_roles_of_a_thousand_hosts_are_found_in_no_time() -> None:
    cluster = parse(large()).cluster
    started = time.process_time()
    assert len(roles_by_host(cluster)) == HOSTS
    assert len(worker_hosts(cluster)) == HOSTS - 3
    assert time.process_time() - started < LIMIT / 5
