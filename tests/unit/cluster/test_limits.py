# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not supported yet is refused whenever it is set, never ignored."""

from collections.abc import Callable

import pytest

from kubexms.cluster.limits import LIMITS, limit_of

SET = {
    "spec.ssh.bastion": "  ssh: {bastion: {address: 10.0.0.9}}",
    "spec.roleGroups.etcd": "    etcd: [node1]",
    "spec.roleGroups.loadbalancer": "    loadbalancer: [node1]",
    "spec.roleGroups.registry": "    registry: [node1]",
    "spec.kubernetes.type": "  kubernetes: {type: binary}",
    "spec.kubernetes.apiServer.certSANs": "  kubernetes: {apiServer: {certSANs: [api.example.com]}}",
    "spec.kubernetes.kubeProxy.enabled": "  kubernetes: {kubeProxy: {enabled: false}}",
    "spec.kubernetes.kubeProxy.mode": "  kubernetes: {kubeProxy: {mode: ipvs}}",
    "spec.kubernetes.encryption": "  kubernetes: {encryption: {enabled: true}}",
    "spec.kubernetes.audit": "  kubernetes: {audit: {maxAge: 7}}",
    "spec.kubernetes.certificates": "  kubernetes: {certificates: {duration: 100h}}",
    "spec.etcd.type": "  etcd: {type: external}",
    "spec.etcd.dataDir": "  etcd: {dataDir: /data}",
    "spec.etcd.extraArgs": "  etcd: {extraArgs: {heartbeat-interval: '200'}}",
    "spec.etcd.external": "  etcd: {external: {endpoints: ['https://10.0.0.9:2379']}}",
    "spec.controlPlaneEndpoint.loadBalancer.type": (
        "  controlPlaneEndpoint: {address: 10.0.0.9, loadBalancer: {type: external}}"
    ),
    "spec.containerRuntime.type": "  containerRuntime: {type: crio}",
    "spec.containerRuntime.registries[].auth.password.vault": (
        "  containerRuntime: {registries: [{host: docker.io, auth: {username: a, password: {vault: a/b}}}]}"
    ),
    "spec.network.plugin": "  network: {plugin: calico}",
    "spec.dns.upstreamServers": "  dns: {upstreamServers: [9.9.9.9]}",
    "spec.dns.nodeLocalCache": "  dns: {nodeLocalCache: true}",
    "spec.storage": "  storage: {local: {enabled: true}}",
    "spec.registry": "  registry: {enabled: true}",
    "spec.addons": "  addons: [{name: a, manifest: a.yaml}]",
    "spec.system.ntp": "  system: {ntp: {enabled: true}}",
    "spec.system.timezone": "  system: {timezone: Europe/Vienna}",
    "spec.system.hooks": "  system: {hooks: {beforeDeploy: [a.sh]}}",
    "spec.preflight": "  preflight: {minCpus: 2}",
    "spec.artifacts": "  artifacts: {offline: true}",
    "spec.rollout.drain": "  rollout: {drain: {enabled: true}}",
    "spec.rollout.pause": "  rollout: {pause: 5}",
}


def test_every_limit_is_tried() -> None:
    assert list(SET) == [limit.path for limit in LIMITS]


@pytest.mark.parametrize("path", SET)
def test_a_field_that_nothing_acts_on_is_refused(path: str, said_of: Callable[..., list[str]]) -> None:
    limit = limit_of(path)
    assert limit is not None
    (said,) = said_of(SET[path] + "\n")
    place, _, words = said.partition(": ")
    assert place.startswith("13:")
    assert place.split()[1].replace("[0]", "[]") == path
    assert words.startswith(f"not supported yet: {path.rpartition('.')[2]}")
    assert words.endswith(f"; supported: {limit.supported}" if limit.supported else "; leave it out")


@pytest.mark.parametrize(
    "text",
    [
        "  kubernetes: {type: kubeadm, kubeProxy: {mode: iptables}}",
        "  etcd: {type: stacked, dataDir: /var/lib/etcd}",
        "  storage: {local: {enabled: false}}",
        "  addons: []",
        "  rollout: {pause: 0, drain: {enabled: false}}",
    ],
)
def test_a_default_may_be_written_out(text: str, said_of: Callable[..., list[str]]) -> None:
    assert said_of(text + "\n") == []


@pytest.mark.parametrize(
    ("path", "limited"),
    [
        ("spec.storage", True),
        ("spec.storage.nfs.server", True),
        ("spec.addons[].name", True),
        ("spec.etcd.type", True),
        ("spec.etcd", False),
        ("spec.dns.replicas", False),
    ],
)
def test_a_limit_covers_what_is_in_it(path: str, limited: bool) -> None:
    assert (limit_of(path) is not None) is limited
