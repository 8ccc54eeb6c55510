# SPDX-License-Identifier: GPL-3.0-or-later
"""Three control-plane hosts and two workers: deployed, deployed again, changed, and left as they were."""

import base64
import json
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.harness import ROOT, Document, Lab, Outcome, change, kubexms, module_calls, until

SNAPSHOT = (Path(__file__).parent / "host_snapshot.py").read_text()
DNS_CHECK = (ROOT / "scripts" / "dns-check.yaml").read_text()
NAME = "kubernetes.default.svc.cluster.local"
PLANTED = "planted-0123456789-secret"
# As containerd sends it, so that hosts have it in a file (RFC 7617).
ENCODED = base64.b64encode(f"robot:{PLANTED}".encode()).decode()
SECRET = re.compile(
    rb"PRIVATE KEY|\b(?=[a-z0-9]{0,5}[a-z])[a-z0-9]{6}\.[a-z0-9]{16}\b|"
    + f"{PLANTED}|{re.escape(ENCODED)}".encode()
)
CONTROL_PLANE = {"node1", "node2", "node3"}

Snapshots = Mapping[str, Document]


@dataclass(frozen=True)
class Deployed:
    """A deployed cluster: its lab, its file, what the hosts were like before, how the deployment went."""

    lab: Lab
    file: Path
    before: Snapshots
    outcome: Outcome


def snapshots(lab: Lab, part: str) -> Snapshots:
    printed = lab.everywhere("python3", "-", part, stdin=SNAPSHOT)
    return {host: json.loads(text) for host, text in printed.items()}


def with_private_registry(document: Document) -> None:
    """Give containerd credentials for a registry that nothing asks: a secret to look for."""
    auth = {"username": "robot", "password": {"env": "KUBEXMS_E2E_PASSWORD"}}
    document["spec"]["containerRuntime"]["registries"] = [{"host": "registry.example.com", "auth": auth}]


@pytest.fixture(scope="module")
def deployed(five_hosts: Lab) -> Deployed:
    os.environ["KUBEXMS_E2E_PASSWORD"] = PLANTED
    before = snapshots(five_hosts, "state")
    file = five_hosts.edited("cluster-e2e", with_private_registry)
    return Deployed(five_hosts, file, before, change("deploy", file))


def test_every_host_becomes_a_ready_node(deployed: Deployed) -> None:
    assert deployed.lab.ready_nodes() == set(deployed.lab.hosts)
    versions = {node["status"]["nodeInfo"]["kubeletVersion"] for node in deployed.lab.get("nodes")}
    assert versions == {"v1.36.3"}


def test_the_system_pods_run(deployed: Deployed) -> None:
    wanted = ("--for", "condition=Ready", "--timeout", "180s", "--all-namespaces", "pods", "--all")
    deployed.lab.kubectl("wait", *wanted)
    names = [pod["metadata"]["name"] for pod in deployed.lab.get("pods", "--all-namespaces")]
    for prefix, count in {
        "etcd": 3,
        "kube-apiserver": 3,
        "kube-proxy": 5,
        "kube-flannel": 5,
        "coredns": 2,
    }.items():
        assert sum(name.startswith(prefix) for name in names) == count, names


def test_dns_answers_from_a_pod_on_every_node_across_hosts(deployed: Deployed) -> None:
    lab = deployed.lab
    before = containers(lab)
    lab.kubectl("apply", "-f", "-", stdin=DNS_CHECK)
    lab.kubectl("rollout", "status", "--timeout", "180s", "daemonset/dns-check")
    pods = lab.get("pods", "-l", "app=dns-check")
    assert {pod["spec"]["nodeName"] for pod in pods} == set(lab.hosts)
    # The service, and each server by itself, so that answers come from other hosts as well.
    servers = [
        pod["status"]["podIP"] for pod in lab.get("pods", "-n", "kube-system", "-l", "k8s-app=kube-dns")
    ]
    asked = "".join(f"busybox nslookup -type=a {NAME} {server}\n" for server in ("", *servers))
    for pod in pods:
        answers = lab.kubectl("exec", "-i", pod["metadata"]["name"], "--", "sh", "-e", stdin=asked)
        assert answers.count("Address: 10.96.0.1\n") == 1 + len(servers), (
            f"{pod['spec']['nodeName']}: {answers}"
        )
    lab.kubectl("delete", "-f", "-", stdin=DNS_CHECK)
    until(lambda: containers(lab) == before, "the Pods that asked end")


def containers(lab: Lab) -> dict[str, list[str]]:
    """Return the running containers of each host."""
    return {host: found["containers"] for host, found in snapshots(lab, "running").items()}


def test_the_install_stays_in_its_budget_of_module_calls(deployed: Deployed) -> None:
    calls = module_calls(deployed.outcome.events)
    assert set(calls) == set(deployed.lab.hosts)
    for host, count in calls.items():
        assert count + 1 <= (25 if host in CONTROL_PLANE else 15), f"{host}: {count} and the probe"


def test_the_search_for_secrets_finds_some() -> None:
    for secret in ("abcdef.0123456789abcdef", "-----BEGIN RSA PRIVATE KEY-----", PLANTED, ENCODED):
        assert SECRET.search(f'"text": "{secret}"'.encode())
    assert not SECRET.search(b'"time":1795470785.559033,"kind":"step.started","unit":"kubelet.service"')


def test_no_secret_leaves_the_hosts(deployed: Deployed) -> None:
    assert deployed.lab.ssh("node4", "grep", "-rl", ENCODED, "/etc/containerd"), "the secret is not in use"
    state = Path(os.environ.get("KUBEXMS_STATE_DIR", Path.home() / ".local/share/kubexms"))
    kept = {str(path): path.read_bytes() for path in (state / "runs").glob("**/*") if path.is_file()}
    kept["what was printed"] = json.dumps(deployed.outcome.documents).encode()
    with closing(sqlite3.connect(f"file:{state / 'kubexms.db'}?mode=ro", uri=True)) as database:
        kept["the database"] = "\n".join(database.iterdump()).encode()
    for host, journal in deployed.lab.everywhere("journalctl", "--no-pager", "--quiet").items():
        kept[f"journal of {host}"] = journal.replace(NAME, "").encode()
    assert len(kept) > len(deployed.lab.hosts) + 2, "there is nothing to look at"
    for where, text in kept.items():
        found = SECRET.search(text)
        assert not found, f"{where}: {text[found.start() - 40 : found.end() + 40]!r}"


def test_a_second_deploy_touches_nothing(deployed: Deployed) -> None:
    before = everything(deployed.lab)
    outcome = change("deploy", deployed.file)
    assert outcome.steps == set()
    assert outcome.one("run")["state"] == "done"
    assert outcome.changed == 0
    assert sorted(before ^ everything(deployed.lab)) == []


def everything(lab: Lab) -> set[str]:
    """Return files, services and containers of the hosts and objects of the cluster, a line each."""
    lines = set()
    for host, found in snapshots(lab, "running").items():
        lines |= {f"{host} {path} {what}" for path, what in found["files"].items()}
        lines |= {f"{host} {line}" for line in found["services"] + found["containers"]}
    for item in lab.get("pods,daemonsets,deployments,configmaps,secrets", "--all-namespaces"):
        about = item["metadata"]
        statuses = item.get("status", {}).get("containerStatuses", [])
        restarts = [status["restartCount"] for status in statuses]
        lines.add(f"{item['kind']} {about['name']} {about['uid']} {about.get('generation')} {restarts}")
    return lines


def test_status_and_runs_tell_what_is_there(deployed: Deployed) -> None:
    status = json.loads(kubexms("status", str(deployed.file), "--output", "json").stdout)
    assert {row["host"]: row["state"] for row in status["hosts"]} == dict.fromkeys(
        deployed.lab.hosts, "ready"
    )
    run = deployed.outcome.one("run")
    shown = json.loads(kubexms("runs", "show", run["id"], "--output", "json").stdout)
    assert {step["state"] for step in shown["steps"]} == {"done"}
    events = kubexms("runs", "events", run["id"], "--output", "json").stdout.splitlines()
    assert [json.loads(event)["seq"] for event in events] == list(range(1, len(events) + 1))


def test_the_kubeconfig_names_the_endpoint(deployed: Deployed) -> None:
    text = kubexms("kubeconfig", str(deployed.file)).stdout
    assert f"server: https://{deployed.lab.hosts['node1']}:6443" in text


def test_labels_and_taints_touch_nodes_only(deployed: Deployed) -> None:
    def edit(document: Document) -> None:
        with_private_registry(document)
        document["spec"]["hosts"][4]["labels"] = {"example.com/disk": "fast"}
        document["spec"]["hosts"][4]["taints"] = [
            {"key": "example.com/only", "value": "x", "effect": "NoSchedule"}
        ]

    outcome = change("deploy", deployed.lab.edited("cluster-e2e", edit))
    assert {stage for stage, _ in outcome.steps} == {"nodes"}
    node = deployed.lab.get("nodes", "-l", "example.com/disk=fast")[0]
    assert node["metadata"]["name"] == "node5"
    assert "example.com/only" in [taint["key"] for taint in node["spec"]["taints"]]


def test_changed_settings_reach_control_plane_hosts_one_at_a_time(deployed: Deployed) -> None:
    def edit(document: Document) -> None:
        with_private_registry(document)
        document["spec"]["kubernetes"]["kubelet"]["maxPods"] = 99
        document["spec"]["kubernetes"]["apiServer"] = {"extraArgs": {"profiling": "false"}}

    outcome = change("deploy", deployed.lab.edited("cluster-e2e", edit))
    # The label of the test before is not in this file, so nodes loses it.
    assert {stage for stage, _ in outcome.steps} - {"nodes"} == {"kubelet", "control-plane"}
    for host in sorted(CONTROL_PLANE):
        assert "--profiling=false" in deployed.lab.ssh(host, "pgrep", "-a", "-x", "kube-apiserver"), host
    capacity = {
        node["metadata"]["name"]: node["status"]["capacity"]["pods"] for node in deployed.lab.get("nodes")
    }
    assert capacity == dict.fromkeys(deployed.lab.hosts, "99")
    at_work: set[str] = set()
    for event in outcome.events:
        if event["host"] in CONTROL_PLANE and event["kind"] == "step.started":
            at_work.add(event["host"])
            assert len(at_work) == 1, f"{sorted(at_work)} at the same time"
        elif event["host"] in CONTROL_PLANE and event["kind"] == "step.done":
            at_work.discard(event["host"])


def test_what_cannot_change_is_refused(deployed: Deployed) -> None:
    def edit(document: Document) -> None:
        document["spec"]["network"] = {"podCIDR": "10.32.0.0/16"}

    outcome = change("deploy", deployed.lab.edited("other", edit), expect=4)
    error = outcome.one("error")
    assert error["code"] == "immutable-changed"
    assert "podCIDR" in error["message"]


def test_hosts_of_one_cluster_are_refused_to_another(deployed: Deployed) -> None:
    def edit(document: Document) -> None:
        document["metadata"]["name"] = "another"

    error = change("deploy", deployed.lab.edited("other", edit), expect=4).one("error")
    assert error["code"] == "identity-mismatch"
    assert "belongs to cluster" in error["message"]


def test_reset_leaves_the_hosts_as_they_were(deployed: Deployed) -> None:
    outcome = change("reset", deployed.file)
    assert outcome.one("run")["state"] == "done"
    after = snapshots(deployed.lab, "state")
    for host, before in deployed.before.items():
        files = before.pop("files").items() ^ after[host].pop("files").items()
        assert sorted(files) == [], host
        assert after[host] == before, host
