# SPDX-License-Identifier: GPL-3.0-or-later
"""The module nodes, whole: settings of ours and of others, readiness, and what is taken back at the end."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import join_host

NODE = "/api/v1/nodes/node1"
DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
RECORD = "/api/v1/namespaces/kube-system/configmaps/kubexms-addons"
WORKER = "node-role.kubernetes.io/worker"
TAINT = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
FOREIGN = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
WANTED = {
    "name": "node1",
    "labels": {WORKER: "", "zone": 7},
    "annotations": {"note": "ours"},
    "taints": [TAINT],
}


def arguments(*nodes, **others):
    return {"nodes": list(nodes), "ready_timeout": 0, **others}


@pytest.fixture
def leader(host, cluster):
    """Make a control plane, and a node with labels and a taint of others."""
    join_host(host)
    node = cluster.add_node("node1", labels={"zone": "1", "theirs": "yes"}, annotations={})
    cluster.put(NODE, {**node, "spec": {"taints": [FOREIGN]}})


def test_settings_are_set_and_those_of_others_stay(run, cluster, leader):
    result = run("nodes", arguments(WANTED))
    assert result.row(f"node node1 label {WORKER}") == ("", '""')
    assert result.row("node node1 label zone") == ("1", "7")
    assert result.row("node node1 taint dedicated:NoSchedule") == ("", "batch")
    node = cluster.objects[NODE]
    assert node["metadata"]["labels"] == {WORKER: "", "zone": "7", "theirs": "yes"}
    assert node["metadata"]["annotations"]["note"] == "ours"
    assert node["spec"]["taints"] == [TAINT, {**FOREIGN, "value": ""}]
    assert json.loads(node["metadata"]["annotations"]["kubexms.io/managed"]) == {
        "labels": [WORKER, "zone"],
        "annotations": ["note"],
        "taints": ["dedicated:NoSchedule"],
    }


def test_a_second_run_only_looks(run, cluster, leader):
    run("nodes", arguments(WANTED))
    cluster.requests.clear()
    assert not run("nodes", arguments(WANTED))["changed"]
    assert cluster.paths("PATCH") == cluster.paths("DELETE") == []


def test_what_is_no_longer_wanted_goes(run, cluster, leader):
    run("nodes", arguments(WANTED))
    result = run("nodes", arguments({"name": "node1"}))
    assert result.row("node node1 taint dedicated:NoSchedule") == ("batch", "")
    node = cluster.objects[NODE]
    assert node["metadata"]["labels"] == {"theirs": "yes"}
    assert "note" not in node["metadata"]["annotations"]
    assert node["spec"]["taints"] == [{**FOREIGN, "value": ""}]
    assert not run("nodes", arguments({"name": "node1"}))["changed"]


def test_labels_alone_do_not_touch_taints(run, cluster, leader):
    run("nodes", arguments({"name": "node1", "labels": {"a": True}}))
    ((_method, _path, patch),) = [one for one in cluster.requests if one[0] == "PATCH"]
    assert "spec" not in patch
    assert cluster.objects[NODE]["metadata"]["labels"]["a"] == "true"


def test_a_taint_that_someone_sets_meanwhile_is_not_lost(run, cluster, leader, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    cluster.mishaps[("PATCH", NODE)] = [(409, {"message": "modified"})]
    assert run("nodes", {**arguments(WANTED), "ready_timeout": 60})["changed"]
    patches = [body for method, _path, body in cluster.requests if method == "PATCH"]
    assert len(patches) == 2
    assert all(body["metadata"]["resourceVersion"] for body in patches)


def test_check_mode_sets_nothing(run, cluster, leader):
    assert run("nodes", arguments(WANTED), check=True)["changed"]
    assert cluster.paths("PATCH") == []


def test_before_the_cluster_is_there_all_is_to_do(run):
    result = run("nodes", arguments(WANTED), check=True)
    assert result.row("node node1 ready") == ("false: no such node in the cluster", "true")
    assert len(result.paths) == 5


def test_nodes_that_are_not_ready_are_named_with_the_reason(run, cluster, leader):
    cluster.add_node("node2", ready=False)
    node = cluster.add_node("node3")
    node["status"]["conditions"] = []
    result = run(
        "nodes", arguments({"name": "node1"}, {"name": "node2"}, {"name": "node3"}, {"name": "node4"})
    )
    assert (result["code"], result["retriable"]) == ("unhealthy", True)
    assert "node node2: container runtime network not ready" in result["msg"]
    assert "node node3: the kubelet has not reported yet" in result["msg"]
    assert "node node4: no such node in the cluster" in result["msg"]
    assert "node1" not in result["msg"]
    assert cluster.paths("DELETE") == [], "hosts may still join"


def test_settings_do_not_wait_for_others(run, cluster, leader):
    assert run("nodes", arguments({"name": "node9"}, WANTED))["failed"]
    assert cluster.objects[NODE]["metadata"]["labels"]["zone"] == "7"


def test_hosts_that_failed_are_left_out(run, cluster, leader):
    assert not run("nodes", arguments({"name": "node1"}, {"name": "node2"}, leave_out=["node2"]))["changed"]


@pytest.mark.parametrize("deployment", [None, {}, {"status": {"availableReplicas": 0}}])
def test_cluster_dns_is_waited_for_where_it_is_ours(run, cluster, leader, deployment):
    cluster.put(RECORD, {"data": {"coredns": "{}"}})
    if deployment is not None:
        cluster.put(DNS, deployment)
    assert (
        "cluster DNS: no replica of CoreDNS is available" in run("nodes", arguments({"name": "node1"}))["msg"]
    )


def test_cluster_dns_that_answers(run, cluster, leader):
    cluster.put(RECORD, {"data": {"coredns": "{}"}})
    cluster.put(DNS, {"status": {"availableReplicas": 1}})
    assert not run("nodes", arguments({"name": "node1"}))["changed"]


def test_a_silent_api_server_is_one_more_reason(run, cluster, leader):
    cluster.mishaps[("GET", "/api/v1/nodes")] = [
        (200, {"items": [cluster.objects[NODE]]}),
        OSError("no route to host"),
    ]
    assert "API server: https://10.77.2.11:6443 does not answer" in run("nodes", arguments(WANTED))["msg"]


@pytest.mark.parametrize("name", ["bootstrap-token-abcdef", "kubeadm-certs"])
def test_credentials_of_joins_are_taken_back(run, cluster, leader, name):
    run("nodes", arguments(WANTED))
    secret = f"/api/v1/namespaces/kube-system/secrets/{name}"
    cluster.put(secret, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "kubexms"}}})
    result = run("nodes", arguments(WANTED))
    assert result.row("credentials of joins") == ("valid", "taken back")
    assert secret not in cluster.objects
    assert not run("nodes", arguments(WANTED))["changed"]


def test_secrets_of_others_stay(run, cluster, leader):
    secret = "/api/v1/namespaces/kube-system/secrets/theirs"
    cluster.put(secret, {"metadata": {"labels": {}}})
    run("nodes", arguments(WANTED))
    assert secret in cluster.objects
