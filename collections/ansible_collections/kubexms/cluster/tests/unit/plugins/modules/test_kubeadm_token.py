# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubeadm_token, whole: what it makes for whom, and that it makes nothing when all are there."""

from __future__ import annotations

import json
import re
import time

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_token
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import DATA, KUBEADM, join_host

SECRETS = "/api/v1/namespaces/kube-system/secrets"
UPLOAD_CONFIG = "/run/kubexms/upload-certs.yaml"


@pytest.fixture
def upload(host, cluster):
    """Return the argv of the upload on a control-plane host of two etcd members and a learner."""
    join_host(host)
    cluster.add_node("node1")
    members = json.loads((DATA / "etcd-3.6.16-members.json").read_text())["members"]
    learner = {"ID": "3", "isLearner": True, "peerURLs": ["https://10.77.2.13:2380"]}
    cluster.members = [*members, learner]
    words = ["init", "phase", "upload-certs", "--upload-certs", "--skip-certificate-key-print"]
    return ["kubeadm", *words, "--config", str(host.path(UPLOAD_CONFIG))]


def test_nothing_is_made_for_ready_nodes(run, cluster, upload):
    result = run("kubeadm_token", {**KUBEADM, "nodes": ["node1"]})
    assert not result["changed"]
    assert "credentials" not in result
    assert {method for method, _path, _body in cluster.requests} == {"GET"}


def test_check_mode_makes_nothing(run, cluster, upload):
    assert run("kubeadm_token", {**KUBEADM, "nodes": ["node2"]}, check=True)["changed"]
    assert cluster.paths("POST") == []


@pytest.mark.parametrize("ready", [None, False])
def test_a_worker_gets_a_token_and_the_ca(run, host, cluster, upload, ready):
    if ready is not None:
        cluster.add_node("node2", ready=ready)
    result = run("kubeadm_token", {**KUBEADM, "nodes": ["node1", "node2"], "control_planes": ["node1"]})
    assert result.paths == ["join of node2"]
    credentials = result["credentials"]
    assert credentials.keys() == {"token", "ca_certificate"}
    assert re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", credentials["token"])
    assert credentials["ca_certificate"] == host.read("/etc/kubernetes/pki/ca.crt")
    ((_method, _path, secret),) = [one for one in cluster.requests if one[0] == "POST"]
    assert secret["stringData"]["token-id"] == credentials["token"][:6]
    assert secret["type"] == "bootstrap.kubernetes.io/token"


def test_control_planes_get_a_key_too(run, host, programs, upload, monkeypatch):
    kept = {}

    def called(argv, **options):
        kept["config"] = host.read(UPLOAD_CONFIG)
        kept["mode"] = host.path(UPLOAD_CONFIG).stat().st_mode & 0o777
        return programs_run(argv, **options)

    programs_run = programs.run_command
    monkeypatch.setattr(programs, "run_command", called)
    programs.expect(upload)
    credentials = run("kubeadm_token", {**KUBEADM, "nodes": ["node2"], "control_planes": ["node2"]})[
        "credentials"
    ]
    assert len(credentials["certificate_key"]) == 64
    assert json.loads(kept["config"].split("---\n")[0])["certificateKey"] == credentials["certificate_key"]
    assert kept["mode"] == 0o600
    assert credentials["etcd_servers"] == ["https://10.77.2.12:2379", "https://10.77.2.11:2379"]
    assert not host.path(UPLOAD_CONFIG).exists()
    assert credentials["certificate_key"] not in json.dumps(programs.seen)


def test_the_key_is_removed_when_the_upload_fails(run, host, programs, upload):
    programs.expect((upload, 1, "", "error: no rights"))
    result = run("kubeadm_token", {**KUBEADM, "nodes": ["node2"], "control_planes": ["node2"]})
    assert result["msg"] == "kubeadm init failed: no rights"
    assert not host.path(UPLOAD_CONFIG).exists()


def test_a_host_that_has_not_joined_cannot_make_them(run, cluster):
    assert run("kubeadm_token", {**KUBEADM, "nodes": ["node2"]})["code"] == "not-joined"


def test_the_token_expires():
    secret = _kube_token.token_secret("abcdef.0123456789abcdef", 1_800_000_000)
    assert secret["stringData"]["expiration"] == "2027-01-15T08:00:00Z"
    assert time.gmtime(1_800_000_000)[:3] == (2027, 1, 15)


def test_credentials_are_taken_back_and_secrets_of_others_stay(host, cluster, upload):
    ours = _kube_token.token_secret("abcdef.0123456789abcdef", time.time())
    for name, secret in {"ours": ours, "theirs": {}, "kubeadm-certs": {}}.items():
        cluster.put(f"{SECRETS}/{name}", secret)
    _kube_token.withdraw(_kube_token.admin_api())
    assert [path for path in cluster.objects if path.startswith(SECRETS)] == [f"{SECRETS}/theirs"]
