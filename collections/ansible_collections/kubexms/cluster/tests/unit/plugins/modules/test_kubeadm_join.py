# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubeadm_join, whole: workers, control planes, half-made joins, and secrets on the way."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import (
    INPUTS,
    KUBEADM,
    join_host,
    record,
    recorded,
)

CREDENTIALS = {"token": "abcdef.0123456789abcdef", "ca_certificate": "PEM"}
KEY = "0f" * 32
ETCD = ["https://10.77.2.11:2379", "https://10.77.2.12:2379"]
WORKER = {**KUBEADM, "control_plane": False, "node_name": "node4", "credentials": CREDENTIALS}
LEADER = {**KUBEADM, "credentials": {**CREDENTIALS, "certificate_key": KEY, "etcd_servers": ETCD}}
CONFIG, DISCOVERY = "/run/kubexms/join.yaml", "/run/kubexms/discovery.conf"
RESET = ["kubeadm", "reset", "--force"]
RESTART = ["systemctl", "restart", "kubelet.service"]
READY = ("GET", "/readyz")
FIRST = "preflight,control-plane-prepare,check-etcd,kubelet-start,etcd-join"
SECOND = "kubelet-wait-bootstrap,control-plane-join,wait-control-plane"


@pytest.fixture
def kept(host, programs, monkeypatch):
    """Return what lay in the files of mode 0600 when kubeadm ran, and let kubeadm write its files."""
    found = {}
    called = programs.run_command

    def run_command(argv, **options):
        if argv[3:5] == ["kubeadm", "join"]:
            for path in (CONFIG, DISCOVERY):
                assert host.path(path).stat().st_mode & 0o777 == 0o600
                found[path] = json.loads(host.read(path))
            join_host(host, control_plane="controlPlane" in found[CONFIG])
        return called(argv, **options)

    monkeypatch.setattr(programs, "run_command", run_command)
    host.write("/proc/self/comm", "python3\n")
    return found


@pytest.fixture
def join(host):
    """Return a function from skipped phases to the argv of kubeadm join."""

    def argv(skipped=""):
        words = ["--skip-phases", skipped] if skipped else []
        return ["kubeadm", "join", "--config", str(host.path(CONFIG)), *words]

    return argv


def gone(host):
    return not host.path(CONFIG).exists() and not host.path(DISCOVERY).exists()


def test_a_worker_joins_and_is_waited_for(run, host, programs, cluster, kept, join):
    cluster.add_node("node4")
    programs.expect(join())
    result = run("kubeadm_join", WORKER)
    assert result.row("node node4") == ("", "worker")
    assert "controlPlane" not in kept[CONFIG]
    assert kept[CONFIG]["discovery"] == {"file": {"kubeConfigPath": DISCOVERY}}
    assert kept[DISCOVERY]["users"] == [{"name": "join", "user": {"token": CREDENTIALS["token"]}}]
    assert kept[DISCOVERY]["clusters"][0]["cluster"]["server"] == "https://api.example.test:6443"
    assert recorded(host)["kubeadm"] == {"state": "done"}
    assert gone(host)
    assert programs.seconds == [30]


def test_a_control_plane_joins_in_two_halves(run, host, programs, cluster, kept, join):
    cluster.add_node("node1")
    programs.expect(join(SECOND), RESTART, join(FIRST))
    assert run("kubeadm_join", LEADER).row("node node1") == ("", "control plane")
    assert kept[CONFIG]["controlPlane"] == {
        "certificateKey": KEY,
        "localAPIEndpoint": {"advertiseAddress": "10.77.2.11", "bindPort": 6443},
    }
    assert READY in [(method, path) for method, path, _body in cluster.requests]
    assert recorded(host)["kubeadm"]["inputs"] == INPUTS


def test_no_secret_is_in_arguments_or_results(run, programs, cluster, kept, join):
    cluster.add_node("node1")
    programs.expect(join(SECOND), RESTART, join(FIRST))
    result = run("kubeadm_join", LEADER)
    for secret in (CREDENTIALS["token"], KEY):
        assert secret not in json.dumps(programs.seen)
        assert secret not in json.dumps(result)


@pytest.mark.parametrize(("arguments", "control_plane"), [(WORKER, False), (LEADER, True)])
def test_a_member_is_left_alone(run, host, arguments, control_plane):
    join_host(host, control_plane=control_plane)
    record(host, kubeadm={"state": "done", **({"inputs": INPUTS} if control_plane else {})})
    assert not run("kubeadm_join", {**arguments, "credentials": None})["changed"]


def test_check_mode_touches_nothing(run, host):
    assert run("kubeadm_join", {**WORKER, "credentials": None}, check=True)["changed"]
    assert host.files() == {}


def test_without_credentials_it_says_why(run):
    result = run("kubeadm_join", {**WORKER, "credentials": None})
    assert (result["code"], result["retriable"]) == ("preflight-failed", True)
    assert "node4" in result["hint"]


def test_a_role_does_not_change(run, host):
    join_host(host)
    record(host, kubeadm={"state": "done", "inputs": INPUTS})
    assert run("kubeadm_join", WORKER)["code"] == "not-supported"


def test_a_half_made_worker_is_taken_away_first(run, host, programs, cluster, kept, join):
    cluster.add_node("node4")
    record(host, kubeadm={"state": "started"})
    programs.expect(RESET, join())
    assert run("kubeadm_join", WORKER).row("node node4") == ("half made", "worker")


@pytest.fixture
def half_made(host):
    """Make a control plane whose join was cut off after it had its certificates."""
    record(host, kubeadm={"state": "started"})
    host.write("/etc/kubernetes/pki/etcd/healthcheck-client.crt", "")


def test_its_etcd_member_goes_first(run, programs, cluster, kept, join, half_made):
    cluster.add_node("node1")
    cluster.members = [
        {"ID": "1", "name": "node2", "peerURLs": ["https://10.77.2.111:2380"]},
        {"ID": "2", "isLearner": True, "peerURLs": ["https://10.77.2.11:2380"]},
    ]
    programs.expect(RESET, join(SECOND), RESTART, join(FIRST))
    run("kubeadm_join", LEADER)
    assert [member["ID"] for member in cluster.members] == ["1"]


def test_a_member_with_an_ipv6_address_goes_too(run, programs, cluster, kept, join, half_made):
    cluster.add_node("node1")
    cluster.members = [{"ID": "2", "peerURLs": ["https://[fd00::11]:2380"]}]
    programs.expect(RESET, join(SECOND), RESTART, join(FIRST))
    run("kubeadm_join", {**LEADER, "advertise_address": "fd00::11"})
    assert cluster.members == []


def test_another_etcd_is_asked_when_one_is_silent(run, programs, cluster, kept, join, half_made):
    cluster.add_node("node1")
    cluster.mishaps[("POST", "/v3/cluster/member/list")] = [OSError("no route")]
    programs.expect(RESET, join(SECOND), RESTART, join(FIRST))
    assert run("kubeadm_join", LEADER)["changed"]


def test_nothing_is_reset_while_the_member_stands(run, cluster, kept, half_made):
    cluster.mishaps[("POST", "/v3/cluster/member/list")] = [OSError("no route"), OSError("no route")]
    result = run("kubeadm_join", LEADER)
    assert result["code"] == "api-failed"
    assert "no route" in result["msg"]


def test_nobody_to_ask(run, cluster, kept, half_made):
    arguments = {**LEADER, "credentials": {**CREDENTIALS, "certificate_key": KEY}}
    assert run("kubeadm_join", arguments)["msg"] == "no etcd member is known to ask"


def test_files_with_secrets_go_when_kubeadm_fails(run, host, programs, cluster, kept, join):
    programs.expect((join(), 1, "", "error: token abcdef.0123456789abcdef is invalid"))
    result = run("kubeadm_join", WORKER)
    assert gone(host)
    assert result["failed"]
    assert CREDENTIALS["token"] not in json.dumps(result)
    assert recorded(host)["kubeadm"]["state"] == "started"


def test_an_api_server_that_does_not_start_is_named(run, programs, cluster, kept, join):
    cluster.mishaps[READY] = [(500, "[-]etcd failed")]
    programs.expect(join(SECOND))
    result = run("kubeadm_join", LEADER)
    assert result["code"] == "unhealthy"
    assert "[-]etcd failed" in result["msg"]


@pytest.mark.parametrize(
    "failure",
    [(None, "no such node in the cluster"), (False, "container runtime network not ready")],
)
def test_a_node_that_does_not_get_ready_is_named_with_the_reason(run, programs, cluster, kept, join, failure):
    ready, reason = failure
    if ready is not None:
        cluster.add_node("node4", ready=ready)
    programs.expect(join())
    result = run("kubeadm_join", WORKER)
    assert (result["code"], result["retriable"]) == ("unhealthy", True)
    assert f"node4: {reason}" in result["msg"]
