# SPDX-License-Identifier: GPL-3.0-or-later
"""The module addons, whole: what is applied, in which order, and what is seen of edits and removals."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import join_host

NETWORK = {"pod_cidr": "10.244.0.0/16", "image": "flannel:1"}
PROXY = {
    "pod_cidr": "10.244.0.0/16",
    "endpoint": "[fd00::1]:6443",
    "image": "kube-proxy:1",
    "version": "v1.36.3",
    "configuration": {"conntrack": {"min": 0}},
}
DNS = {"service_address": "10.96.0.10", "image": "coredns:1"}
ADDONS = {"network": NETWORK, "kube_proxy": PROXY, "dns": DNS, "timeout": 0}

RECORD = "/api/v1/namespaces/kube-system/configmaps/kubexms-addons"
FLANNEL = "/apis/apps/v1/namespaces/kube-flannel/daemonsets/kube-flannel-ds"
FLANNEL_CONFIG = "/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg"
KUBE_PROXY = "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy"
COREDNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
COREFILE = "/api/v1/namespaces/kube-system/configmaps/coredns"
BUDGET = "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets/coredns"


@pytest.fixture
def applied(run, host, cluster):
    """Apply ADDONS on a control plane; the requests of that are forgotten."""
    join_host(host)
    result = run("addons", ADDONS)
    assert result["changed"]
    cluster.requests.clear()
    return result


def container(item):
    return item["spec"]["template"]["spec"]["containers"][0]


def variables(item):
    return {one["name"]: one.get("value") for one in container(item)["env"]}


def test_everything_is_applied_in_an_order_that_works(run, host, cluster):
    join_host(host)
    result = run("addons", ADDONS)
    assert result.paths == ["addon kube-proxy", "addon flannel", "addon coredns"]
    paths = cluster.paths("PATCH")
    assert all(path.endswith("?fieldManager=kubexms&force=true") for path in paths)
    names = [path.partition("?")[0] for path in paths]
    assert names.index("/api/v1/namespaces/kube-flannel") < names.index(FLANNEL_CONFIG) < names.index(FLANNEL)
    assert names[-1] == RECORD, "the record is written when all the rest is there"
    labels = [item["metadata"]["labels"] for item in cluster.objects.values()]
    assert all(one["app.kubernetes.io/managed-by"] == "kubexms" for one in labels)


def test_a_second_run_only_looks(run, cluster, applied):
    assert not run("addons", ADDONS)["changed"]
    assert {method for method, _path, _body in cluster.requests} == {"GET"}


def test_check_mode_applies_nothing(run, host, cluster):
    join_host(host)
    assert run("addons", ADDONS, check=True)["changed"]
    assert cluster.objects == {}


def test_before_the_cluster_is_there_all_is_to_do(run):
    assert run("addons", ADDONS, check=True).paths == ["addon kube-proxy", "addon flannel", "addon coredns"]


def test_flannel_uses_the_nodes_address_and_the_endpoint(cluster, applied):
    daemon_set = cluster.objects[FLANNEL]
    assert "--iface=$(NODE_ADDRESS)" in container(daemon_set)["args"]
    assert variables(daemon_set)["KUBERNETES_SERVICE_HOST"] == "fd00::1"
    assert variables(daemon_set)["KUBERNETES_SERVICE_PORT"] == "6443"
    configuration = json.loads(cluster.objects[FLANNEL_CONFIG]["data"]["net-conf.json"])
    assert configuration == {
        "Network": "10.244.0.0/16",
        "EnableNFTables": True,
        "Backend": {"Type": "vxlan"},
    }


@pytest.mark.parametrize(
    ("network", "proxy", "wanted"),
    [
        ({"backend_port": 4789}, {}, ({"Type": "vxlan", "Port": 4789}, True)),
        ({"backend": "host-gw", "backend_port": 4789}, {}, ({"Type": "host-gw"}, True)),
        ({}, {"mode": "iptables"}, ({"Type": "vxlan"}, False)),
    ],
)
def test_flannels_backend(run, host, cluster, network, proxy, wanted):
    join_host(host)
    run("addons", {**ADDONS, "network": {**NETWORK, **network}, "kube_proxy": {**PROXY, **proxy}})
    configuration = json.loads(cluster.objects[FLANNEL_CONFIG]["data"]["net-conf.json"])
    assert (configuration["Backend"], configuration["EnableNFTables"]) == wanted


def test_flannel_without_kube_proxy_and_with_its_plugin(run, host, cluster):
    join_host(host)
    run("addons", {"network": {**NETWORK, "cni_image": "plugin:1"}})
    daemon_set = cluster.objects[FLANNEL]
    assert "KUBERNETES_SERVICE_HOST" not in variables(daemon_set)
    first = daemon_set["spec"]["template"]["spec"]["initContainers"][0]
    assert (first["image"], first["args"]) == ("plugin:1", ["-f", "/flannel", "/opt/cni/bin/flannel"])
    volumes = [one["name"] for one in daemon_set["spec"]["template"]["spec"]["volumes"]]
    assert "cni-plugin" in volumes


def test_a_node_gets_its_cni_configuration_when_flannel_knows_the_network(cluster, applied):
    spec = cluster.objects[FLANNEL]["spec"]["template"]["spec"]
    assert spec["initContainers"] == []
    script = container(cluster.objects[FLANNEL])["lifecycle"]["postStart"]["exec"]["command"][-1]
    assert script.index("/run/flannel/subnet.env") < script.index("10-flannel.conflist")


def test_kube_proxy_is_configured(cluster, applied):
    data = cluster.objects["/api/v1/namespaces/kube-system/configmaps/kube-proxy"]["data"]
    assert json.loads(data["config.conf"]) == {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
        "clusterCIDR": "10.244.0.0/16",
        "conntrack": {"min": 0},
        "mode": "nftables",
    }
    cluster_entry = json.loads(data["kubeconfig.conf"])["clusters"][0]["cluster"]
    assert cluster_entry["server"] == "https://[fd00::1]:6443"


def test_coredns_keeps_to_different_hosts(cluster, applied):
    spec = cluster.objects[COREDNS]["spec"]["template"]["spec"]
    assert "requiredDuringSchedulingIgnoredDuringExecution" in spec["affinity"]["podAntiAffinity"]
    assert cluster.objects[BUDGET]["spec"]["maxUnavailable"] == 1
    corefile = cluster.objects[COREFILE]["data"]["Corefile"]
    assert "kubernetes cluster.local in-addr.arpa ip6.arpa {" in corefile
    assert "cache 30 {" in corefile
    service = cluster.objects["/api/v1/namespaces/kube-system/services/kube-dns"]
    assert service["spec"]["clusterIP"] == "10.96.0.10"


def test_a_changed_setting_rolls_out_one_addon(run, cluster, applied):
    before = cluster.objects[COREDNS]["spec"]["template"]["metadata"]["annotations"]
    changed = {**ADDONS, "dns": {**DNS, "cache_seconds": 5, "domain": "x.test"}}
    result = run("addons", changed)
    assert result.row("addon coredns cache_seconds") == ("30", "5")
    assert result.paths == ["addon coredns cache_seconds", "addon coredns domain"]
    assert cluster.objects[COREDNS]["spec"]["template"]["metadata"]["annotations"] != before
    assert not [path for path in cluster.paths("PATCH") if "kube-flannel" in path]
    assert not run("addons", changed)["changed"]


def test_other_objects_from_the_same_settings_are_seen(run, cluster, applied):
    entry = json.loads(cluster.objects[RECORD]["data"]["flannel"])
    cluster.objects[RECORD]["data"]["flannel"] = json.dumps({**entry, "digest": "0" * 64})
    assert run("addons", ADDONS).paths == ["addon flannel objects"]


@pytest.mark.parametrize("path", [KUBE_PROXY, COREFILE])
def test_an_edit_is_put_back(run, cluster, applied, path):
    item = cluster.objects[path]
    before = json.dumps([item.get("spec"), item.get("data")])
    cluster.put(path, {**item, "spec": {"edited": True}} if "spec" in item else {**item, "data": {}})
    (found,) = run("addons", ADDONS).paths
    assert found.endswith(path)
    item = cluster.objects[path]
    assert json.dumps([item.get("spec"), item.get("data")]) == before
    assert not run("addons", ADDONS)["changed"]


def test_a_new_status_is_no_edit(run, cluster, applied):
    cluster.put(COREDNS, {**cluster.objects[COREDNS], "status": {"availableReplicas": 2}})
    assert not run("addons", ADDONS)["changed"]


def test_a_removed_workload_comes_back(run, cluster, applied):
    del cluster.objects[KUBE_PROXY]
    assert run("addons", ADDONS).row(f"addon kube-proxy {KUBE_PROXY}") == ("", "present")
    assert KUBE_PROXY in cluster.objects


@pytest.mark.parametrize("network", [None, {"plugin": "none", "pod_cidr": "10.244.0.0/16"}])
def test_an_addon_that_is_not_wanted_goes(run, cluster, applied, network):
    result = run("addons", {**ADDONS, "network": network})
    assert result.row("addon flannel") == ("applied", "")
    assert not [path for path in cluster.objects if "flannel" in path]
    assert cluster.paths("DELETE")[-1] == "/api/v1/namespaces/kube-flannel", "the namespace goes last"
    assert "flannel" not in cluster.objects[RECORD]["data"]


def test_an_object_that_an_addon_no_longer_has_goes(run, cluster, applied):
    run("addons", {**ADDONS, "dns": {**DNS, "replicas": 1}})
    assert cluster.paths("DELETE") == [BUDGET]
    assert COREDNS in cluster.objects


def test_an_api_server_that_has_just_started_is_tried_again(run, host, cluster, monkeypatch):
    join_host(host)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    account = "/api/v1/namespaces/kube-system/serviceaccounts/kube-proxy"
    cluster.mishaps[("PATCH", account)] = [(500, "not yet"), OSError("refused")]
    assert run("addons", {**ADDONS, "timeout": 60})["changed"]
    assert account in cluster.objects


@pytest.mark.parametrize(
    ("mishap", "retriable"), [((422, {"message": "spec.x: Invalid"}), False), ((503, "overloaded"), True)]
)
def test_what_the_api_says_is_the_message(run, host, cluster, mishap, retriable):
    join_host(host)
    cluster.mishaps[("PATCH", KUBE_PROXY)] = [mishap]
    result = run("addons", ADDONS)
    assert (result["code"], result["retriable"]) == ("api-failed", retriable)
    assert "Invalid" in result["msg"] or "overloaded" in result["msg"]
    assert RECORD not in cluster.objects


def test_flannel_needs_an_image(run):
    assert "missing" in run("addons", {"network": {"pod_cidr": "10.244.0.0/16"}})["msg"]
