# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubeadm_init, whole: what it finds on a host, and what it does about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils._files import text_digest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import (
    COMPONENTS,
    INPUTS,
    KUBEADM,
    join_host,
    record,
    recorded,
)

PREFLIGHT = (Path(__file__).resolve().parents[2] / "data/kubeadm-1.36.3-preflight.txt").read_text()
REFUSED = OSError("connection refused")
CONFIG = "/etc/kubexms/kubeadm.yaml"
RESET = ["kubeadm", "reset", "--force"]
VERSION = ("GET", "/version")


@pytest.fixture
def init(host, cluster):
    """Return the argv of kubeadm init on a host where nothing answers at the endpoint."""
    host.write("/proc/self/comm", "python3\n")
    cluster.mishaps[VERSION] = [REFUSED]
    return ["kubeadm", "init", "--config", str(host.path(CONFIG)), "--skip-phases", "show-join-command"]


def documents(host):
    return [json.loads(part) for part in host.read(CONFIG).split("---\n")]


def test_a_fresh_host_becomes_a_control_plane(run, host, programs, init):
    programs.expect(init)
    result = run("kubeadm_init", {**KUBEADM, "ignore_preflight": ["Swap"]})
    assert result["changed"]
    assert result.row("control plane") == ("", "v1.36.3")
    initial, cluster, kubelet = documents(host)
    assert initial["localAPIEndpoint"] == {"advertiseAddress": "10.77.2.11", "bindPort": 6443}
    assert initial["nodeRegistration"]["ignorePreflightErrors"] == ["Swap"]
    assert "token" not in initial["bootstrapTokens"][0]
    assert cluster["controlPlaneEndpoint"] == "api.example.test:6443"
    assert cluster["dns"] == cluster["proxy"] == {"disabled": True}
    assert cluster["etcd"] == {"local": {"imageTag": "3.6.16-0"}}
    assert kubelet["cgroupDriver"] == "systemd"
    assert host.path(CONFIG).stat().st_mode & 0o777 == 0o600
    assert programs.seconds == [30]


def test_settings_and_manifests_are_recorded(run, host, programs, init):
    programs.expect(init)
    run("kubeadm_init", KUBEADM)
    digests = dict.fromkeys(COMPONENTS, text_digest(None))
    assert recorded(host)["kubeadm"] == {"state": "done", "inputs": INPUTS, "manifests": digests}


def test_check_mode_touches_nothing(run, host):
    assert run("kubeadm_init", KUBEADM, check=True)["changed"]
    assert host.files() == {}


@pytest.mark.parametrize("state", [{}, {"kubeadm": {"state": "done", "inputs": INPUTS}}])
def test_a_control_plane_is_left_alone(run, host, state):
    join_host(host)
    record(host, **state)
    assert not run("kubeadm_init", KUBEADM)["changed"]


def test_a_worker_is_no_business_of_this_module(run):
    assert not run("kubeadm_init", {**KUBEADM, "control_plane": False})["changed"]


def test_a_half_made_control_plane_is_made_anew(run, host, programs, init):
    join_host(host)
    record(host, kubeadm={"state": "started"})
    programs.expect(RESET, init)
    assert run("kubeadm_init", KUBEADM).row("control plane") == ("half made", "v1.36.3")
    assert recorded(host)["kubeadm"]["state"] == "done"


def test_an_earlier_kubeadm_is_waited_for(run, host, programs, init, monkeypatch):
    record(host, kubeadm={"state": "started"})
    host.write("/proc/41/stat", "")
    comm = host.write("/proc/42/comm", "kubeadm\n")
    monkeypatch.setattr("time.sleep", lambda _seconds: comm.unlink())
    programs.expect(RESET, init)
    assert run("kubeadm_init", KUBEADM)["changed"]


def test_leftovers_of_others_are_refused(run, host):
    host.write("/etc/kubernetes/admin.conf", "")
    result = run("kubeadm_init", KUBEADM)
    assert result["code"] == "preflight-failed"
    assert "/etc/kubernetes/admin.conf" in result["msg"]


def test_a_control_plane_that_lost_files_is_named(run, host):
    join_host(host)
    host.path("/etc/kubernetes/manifests/etcd.yaml").unlink()
    record(host, kubeadm={"state": "done", "inputs": INPUTS})
    result = run("kubeadm_init", KUBEADM)
    assert (result["code"], result["retriable"]) == ("unhealthy", False)
    assert "etcd.yaml" in result["msg"]


def test_a_worker_is_not_made_a_control_plane(run, host):
    join_host(host, control_plane=False)
    record(host, kubeadm={"state": "done"})
    result = run("kubeadm_init", KUBEADM)
    assert (result["code"], result["msg"]) == ("not-supported", "this host joined as a worker")


@pytest.mark.parametrize("answer", [(200, "{}"), (403, "forbidden")])
def test_a_second_cluster_at_one_endpoint_is_refused(run, host, cluster, init, answer):
    cluster.mishaps[VERSION] = [answer]
    result = run("kubeadm_init", KUBEADM)
    assert result["code"] == "cluster-exists"
    assert not host.path(CONFIG).exists()


def test_preflight_errors_name_what_is_missing(run, host, programs, init):
    programs.expect((init, 1, "", PREFLIGHT))
    result = run("kubeadm_init", KUBEADM)
    assert (result["code"], result["retriable"]) == ("preflight-failed", False)
    assert "Port-6443: Port 6443 is in use; Port-10259" in result["msg"]
    assert recorded(host)["kubeadm"]["state"] is None, "nothing was changed, so nothing is half made"


def test_a_failure_leaves_it_half_made_and_shows_no_secret(run, host, programs, init):
    output = "\n".join(
        [
            "[bootstrap-token] Using token: abcdef.0123456789abcdef",
            "key " + "0f" * 32,
            "error: error execution phase wait-control-plane: timed out for abcdef.0123456789abcdef",
            "To see the stack trace of this error execute with --v=5 or higher",
        ]
    )
    programs.expect((init, 1, "", output))
    result = run("kubeadm_init", KUBEADM)
    assert (result["code"], result["retriable"]) == ("command-failed", True)
    assert "wait-control-plane: timed out for (hidden)" in result["msg"]
    assert "0123456789abcdef" not in json.dumps(result)
    assert "0f0f" not in json.dumps(result)
    assert recorded(host)["kubeadm"]["state"] == "started"


def test_a_failure_without_a_cause_has_its_last_line(run, programs, init):
    programs.expect((init, 2, "", "unknown flag: --x"))
    assert run("kubeadm_init", KUBEADM)["msg"].endswith("ended with status 2: unknown flag: --x")


def test_kubeadm_that_hangs_is_ended(run, programs, init):
    programs.expect((init, 124, "", "waiting with 0123456789abcdef"))
    result = run("kubeadm_init", KUBEADM)
    assert (result["code"], result["retriable"]) == ("timeout", True)
