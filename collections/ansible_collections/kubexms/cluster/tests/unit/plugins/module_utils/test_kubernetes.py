# SPDX-License-Identifier: GPL-3.0-or-later
"""What is parsed of a cluster: settings, members of etcd, nodes, certificates."""

from __future__ import annotations

import base64
import calendar
import json

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import (
    _kube_etcd,
    _kube_node_settings,
    _kube_nodes,
    _probe_certificates,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_inputs import control_plane_inputs
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_objects import api_path, revision
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import DATA, INPUTS, KUBEADM

CA = (DATA / "kubeadm-1.36.3-ca.crt").read_text()
CA_END = calendar.timegm((2036, 11, 20, 22, 5, 19))


def test_settings_are_flat_and_readable():
    configuration = {
        "apiServer": {
            "extraArgs": [{"name": "v", "value": "2"}, {"name": "v", "value": 3}, {"name": "empty"}],
            "extraEnvs": [{"name": "HTTP_PROXY", "value": "x"}],
            "certSANs": ["a", "b"],
        },
        "scheduler": None,
        "etcd": {"local": {"imageTag": "3.6.16-0", "extraArgs": None}},
        "featureGates": {"X": False},
        "networking": {"podSubnet": "10.0.0.0/8"},
    }
    assert control_plane_inputs({**KUBEADM, "cluster_configuration": configuration}) == {
        **INPUTS,
        "kube-apiserver extraArgs.v": "2 3",
        "kube-apiserver extraArgs.empty": "",
        "kube-apiserver extraEnvs.HTTP_PROXY": "x",
        "kube-apiserver certSANs": '["a", "b"]',
        "control plane featureGates.X": "false",
    }


def test_an_empty_configuration_has_its_addresses():
    inputs = control_plane_inputs({**KUBEADM, "cluster_configuration": {}})
    assert sorted(inputs) == ["kube-apiserver advertise address", "kube-apiserver endpoint"]


def test_members_of_etcd_as_recorded():
    first, second = _kube_etcd.parse_members(json.loads((DATA / "etcd-3.6.16-members.json").read_text()))
    assert (first.name, first.started, first.learner) == ("node2", True, False)
    assert second.client_urls == ("https://10.77.2.11:2379",)


@pytest.mark.parametrize("answer", [{}, {"members": []}])
def test_no_members(answer):
    assert _kube_etcd.parse_members(answer) == []


def test_a_member_that_has_not_started():
    answer = {"members": [{"ID": "1", "peerURLs": ["https://10.77.2.12:2380"], "isLearner": True}]}
    (member,) = _kube_etcd.parse_members(answer)
    assert (member.started, member.learner, member.client_urls) == (False, True, ())


def test_a_node_as_recorded_is_ready():
    assert _kube_nodes.unready(json.loads((DATA / "kubernetes-1.36.3-node.json").read_text())) == ""


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({"status": "False", "message": "no network", "reason": "KubeletNotReady"}, "no network"),
        ({"status": "Unknown", "reason": "NodeStatusUnknown"}, "NodeStatusUnknown"),
        ({"status": "Unknown"}, "Unknown"),
    ],
)
def test_why_a_node_is_not_ready(condition, reason):
    other = {"type": "MemoryPressure", "status": "False"}
    node = {"status": {"conditions": [other, {"type": "Ready", **condition}]}}
    assert _kube_nodes.unready(node) == reason


def test_settings_of_a_node_that_is_not_there():
    wanted = {"labels": {"a": "b"}, "annotations": {}, "taints": []}
    assert _kube_node_settings.changes(None, wanted) == [("label a", None, "b")]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (("v1", "Namespace", {"name": "x"}), "/api/v1/namespaces/x"),
        (("v1", "Service", {"name": "x", "namespace": "y"}), "/api/v1/namespaces/y/services/x"),
        (
            ("rbac.authorization.k8s.io/v1", "ClusterRole", {"name": "a:b"}),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/a:b",
        ),
    ],
)
def test_where_the_api_keeps_an_object(item, path):
    version, kind, metadata = item
    assert api_path({"apiVersion": version, "kind": kind, "metadata": metadata}) == path


@pytest.mark.parametrize(("kind", "shown"), [("ConfigMap", "7"), ("DaemonSet", "3"), ("ServiceAccount", "")])
def test_what_shows_an_edit(kind, shown):
    metadata = {"resourceVersion": "7", **({"generation": 3} if kind == "DaemonSet" else {})}
    assert revision({"kind": kind, "metadata": metadata}) == shown


class TestCertificates:
    """The DER reader."""

    def test_every_place_is_read(self, host):
        host.write("/etc/kubernetes/pki/ca.crt", CA)
        host.write("/etc/kubernetes/pki/etcd/peer.crt", "text before\n" + CA)
        host.write("/var/lib/kubelet/pki/kubelet-client-current.pem", CA + "key")
        data = base64.b64encode(CA.encode()).decode()
        host.write("/etc/kubernetes/admin.conf", f"    client-certificate-data: {data}\n")
        host.write("/etc/kubernetes/kubelet.conf", "    client-certificate: /elsewhere\n")
        host.write("/etc/kubernetes/broken.conf", "    client-certificate-data: AAA\n")
        host.write("/etc/kubernetes/binary.conf", "    client-certificate-data: gICA\n")
        found = _probe_certificates.certificates()
        assert [entry["path"].replace(str(host.root), "") for entry in found] == [
            "/etc/kubernetes/pki/ca.crt",
            "/etc/kubernetes/pki/etcd/peer.crt",
            "/var/lib/kubelet/pki/kubelet-client-current.pem",
            "/etc/kubernetes/admin.conf",
        ]
        assert {entry["not_after"] for entry in found} == {CA_END}

    @pytest.mark.parametrize(
        ("tag", "text", "year"), [(0x17, "491231235959Z", 2049), (0x18, "20501231235959Z", 2050)]
    )
    def test_both_forms_of_time(self, tag, text, year):
        def element(kind, content):
            return bytes([kind, len(content)]) + content

        validity = element(0x30, element(0x17, b"261123000000Z") + element(tag, text.encode()))
        before = element(0x02, b"\x01") + element(0x30, b"") + element(0x30, b"")
        without_version = element(0x30, element(0x30, before + validity))
        assert _probe_certificates.not_after(without_version) == calendar.timegm((year, 12, 31, 23, 59, 59))
