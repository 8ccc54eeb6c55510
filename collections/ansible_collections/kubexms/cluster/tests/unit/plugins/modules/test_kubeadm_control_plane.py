# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubeadm_control_plane, whole: what differs, in which order it is made, and what is put back."""

from __future__ import annotations

import os

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_certificates
from ansible_collections.kubexms.cluster.plugins.module_utils._files import text_digest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import (
    COMPONENTS,
    DATA,
    INPUTS,
    KUBEADM,
    join_host,
    record,
    recorded,
)

NAMESPACE = "/api/v1/namespaces/kube-system/pods"
PHASES = {
    "etcd": ["etcd", "local"],
    "kube-apiserver": ["control-plane", "apiserver"],
    "kube-controller-manager": ["control-plane", "controller-manager"],
    "kube-scheduler": ["control-plane", "scheduler"],
}
CERTIFICATES = {"apiserver": "apiserver", "etcd-server": "etcd/server", "etcd-peer": "etcd/peer"}
UPLOAD = ["upload-config", "kubeadm"]
PEM = (DATA / "kubeadm-1.36.3-ca.crt").read_text()


def manifest(component):
    return f"/etc/kubernetes/manifests/{component}.yaml"


def pod(component, generation, **status):
    """Return a static Pod as the API shows it."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {
        "metadata": {"annotations": {"kubernetes.io/config.hash": f"{component}-{generation}"}},
        "status": status or ready,
    }


@pytest.fixture
def phase(host):
    """Return a function from a phase's words to the argv of kubeadm."""
    config = str(host.path("/etc/kubexms/kubeadm.yaml"))
    return lambda words: ["kubeadm", "init", "phase", *words, "--config", config]


@pytest.fixture
def settled(host, cluster, programs, monkeypatch):
    """Make a healthy control plane as recorded; each phase of kubeadm writes a manifest and a new Pod.

    The returned dict has component -> what its Pod is after the phase (None: as before).
    """
    join_host(host)
    digests = {name: text_digest(host.read(manifest(name))) for name in COMPONENTS}
    record(host, kubeadm={"state": "done", "inputs": INPUTS, "manifests": digests})
    for name in COMPONENTS:
        cluster.put(f"{NAMESPACE}/{name}-node1", pod(name, 1))
    after = {name: pod(name, 2) for name in COMPONENTS}
    called = programs.run_command

    def run_command(argv, **options):
        result = called(argv, **options)
        if argv[6] == "certs" and result[0] == 0:
            for suffix in ("crt", "key"):
                host.write(f"/etc/kubernetes/pki/{CERTIFICATES[argv[7]]}.{suffix}", PEM)
        component = next((name for name, words in PHASES.items() if argv[6:8] == words), None)
        if component and result[0] == 0:
            host.write(manifest(component), f"name: {component}\nmade: {len(programs.seen)}\n")
            if after[component]:
                cluster.put(f"{NAMESPACE}/{component}-node1", after[component])
        return result

    monkeypatch.setattr(programs, "run_command", run_command)
    served = []
    monkeypatch.setattr(
        _kube_certificates.ssl, "get_server_certificate", lambda address: served.append(address) or PEM
    )
    host.write("/etc/kubernetes/pki/apiserver.crt", PEM)
    return after


def with_settings(**sections):
    return {**KUBEADM, "cluster_configuration": {**KUBEADM["cluster_configuration"], **sections}}


EVENT_TTL = {"extraArgs": [{"name": "event-ttl", "value": "2h"}]}


def test_without_differences_nothing_is_asked(run, cluster, settled):
    assert not run("kubeadm_control_plane", KUBEADM)["changed"]
    assert cluster.requests == []


@pytest.mark.parametrize("arguments", [KUBEADM, {**KUBEADM, "control_plane": False}])
def test_a_host_that_has_not_joined_is_the_business_of_others(run, arguments):
    assert not run("kubeadm_control_plane", arguments)["changed"]


def test_a_changed_setting_makes_one_component_anew(run, host, programs, settled, phase):
    programs.expect(phase(PHASES["kube-apiserver"]), phase(UPLOAD))
    result = run("kubeadm_control_plane", with_settings(apiServer=EVENT_TTL))
    assert result.row("kube-apiserver extraArgs.event-ttl") == ("", "2h")
    assert run("kubeadm_control_plane", with_settings(apiServer=EVENT_TTL))["changed"] is False
    assert recorded(host)["kubeadm"]["inputs"]["kube-apiserver extraArgs.event-ttl"] == "2h"


def test_check_mode_makes_nothing(run, settled):
    result = run("kubeadm_control_plane", with_settings(scheduler={"extraArgs": []}), check=True)
    assert not result["changed"]
    assert run("kubeadm_control_plane", with_settings(apiServer=EVENT_TTL), check=True)["changed"]


def test_every_component_in_order(run, programs, settled, phase):
    programs.expect(*[phase(words) for words in PHASES.values()], phase(UPLOAD))
    settings = with_settings(featureGates={"NodeLocalCRISocket": True})
    result = run("kubeadm_control_plane", settings)
    assert result.row("control plane featureGates.NodeLocalCRISocket") == ("", "true")


def test_an_edited_manifest_is_made_anew(run, host, programs, settled, phase):
    host.write(manifest("etcd"), "name: etcd\nmine: true\n")
    programs.expect(phase(PHASES["etcd"]), phase(UPLOAD))
    assert run("kubeadm_control_plane", KUBEADM).row("etcd manifest") == (
        "edited",
        "as made from the settings",
    )


def test_without_a_record_everything_is_made_once(run, host, programs, settled, phase):
    record(host)
    programs.expect(*[phase(words) for words in PHASES.values()], phase(UPLOAD))
    assert run("kubeadm_control_plane", KUBEADM).row("etcd imageTag") == ("", "3.6.16-0")


def test_a_manifest_that_means_the_same_needs_no_wait(run, host, programs, settled, phase, monkeypatch):
    host.write(manifest("etcd"), "name: etcd\n\n# mine\n")
    settled["etcd"] = None
    monkeypatch.setattr(programs, "run_command", _only_rewrites(host, programs, "etcd", "name: etcd\n"))
    programs.expect(phase(PHASES["etcd"]), phase(UPLOAD))
    assert run("kubeadm_control_plane", KUBEADM)["changed"]


def _only_rewrites(host, programs, component, text):
    called = type(programs).run_command

    def run_command(argv, **options):
        host.write(manifest(component), text)
        return called(programs, argv, **options)

    return run_command


@pytest.mark.parametrize(
    "failure",
    [
        (None, "the kubelet has not replaced it"),
        (pod("kube-apiserver", 2, conditions=[]), "its Pod is not ready yet"),
        (
            pod(
                "kube-apiserver",
                2,
                containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            ),
            "CrashLoopBackOff",
        ),
        (
            pod("kube-apiserver", 2, containerStatuses=[{"ready": False, "state": {"running": {}}}]),
            "its container is not ready yet",
        ),
    ],
)
def test_a_component_that_does_not_get_ready_is_put_back(run, host, programs, settled, phase, failure):
    settled["kube-apiserver"], reason = failure
    before = host.read(manifest("kube-apiserver"))
    logs = "/var/log/pods/kube-system_kube-apiserver-node1_{0}/kube-apiserver/0.log"
    os.utime(host.write(logs.format("a"), "older"), (1, 1))
    host.write(logs.format("b"), "2026-11-23T21:38:50Z stderr F Error: unknown flag: --x\n")
    programs.expect(phase(PHASES["kube-apiserver"]))
    result = run("kubeadm_control_plane", with_settings(apiServer=EVENT_TTL))
    assert (result["code"], result["retriable"]) == ("unhealthy", False)
    assert result["msg"].endswith(reason)
    assert result["tail"] == ["Error: unknown flag: --x"]
    assert host.read(manifest("kube-apiserver")) == before
    assert "kube-apiserver extraArgs.event-ttl" not in recorded(host)["kubeadm"]["inputs"]


def test_an_api_that_is_silent_is_waited_for(run, cluster, programs, settled, phase):
    path = f"{NAMESPACE}/kube-apiserver-node1"
    cluster.mishaps[("GET", path)] = [(200, pod("kube-apiserver", 1)), OSError("refused")]
    programs.expect(phase(PHASES["kube-apiserver"]))
    result = run("kubeadm_control_plane", with_settings(apiServer=EVENT_TTL))
    assert "refused" in result["msg"]
    assert result["tail"] == []


@pytest.mark.parametrize(
    "case",
    [
        ("apiServer", {"certSANs": ["x.test"]}, "apiserver", "kube-apiserver"),
        ("etcd", {"local": {"imageTag": "3.6.16-0", "serverCertSANs": ["x"]}}, "etcd-server", "etcd"),
        ("etcd", {"local": {"imageTag": "3.6.16-0", "peerCertSANs": ["x"]}}, "etcd-peer", "etcd"),
    ],
)
def test_certificates_follow_their_names(run, host, programs, settled, phase, case):
    section, setting, name, component = case
    path = CERTIFICATES[name]
    old = [host.write(f"/etc/kubernetes/pki/{path}.{suffix}", "old") for suffix in ("crt", "key")]
    programs.expect(phase(["certs", name]), phase(PHASES[component]), phase(UPLOAD))
    assert run("kubeadm_control_plane", with_settings(**{section: setting}))["changed"]
    assert [one.read_text() for one in old] == [PEM, PEM]
    assert not list(old[0].parent.glob("*.old"))


def test_a_certificate_that_cannot_be_made_stays(run, host, programs, settled, phase):
    key = host.write("/etc/kubernetes/pki/apiserver.key", "old key")
    programs.expect((phase(["certs", "apiserver"]), 1, "", "error: bad name"))
    result = run("kubeadm_control_plane", with_settings(apiServer={"certSANs": ["-"]}))
    assert result["failed"]
    assert key.read_text() == "old key"


def test_a_certificate_that_is_not_served_is_an_error(run, programs, settled, phase, monkeypatch):
    def silent(_address):
        raise ConnectionRefusedError

    monkeypatch.setattr(_kube_certificates.ssl, "get_server_certificate", silent)
    programs.expect(phase(PHASES["kube-scheduler"]))
    result = run("kubeadm_control_plane", with_settings(scheduler=EVENT_TTL))
    assert result["code"] == "timeout"


@pytest.mark.parametrize("change", [{"advertise_address": "10.77.2.99"}, {"endpoint": "other.test:6443"}])
def test_addresses_do_not_move(run, settled, change):
    result = run("kubeadm_control_plane", {**KUBEADM, **change})
    assert result["code"] == "not-supported"
