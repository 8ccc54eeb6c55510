# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubeadm_control_plane, whole: what differs, in which order it is made, and what is put back."""

from __future__ import annotations

import os

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_certificates, _kube_static_pod
from ansible_collections.kubexms.cluster.plugins.module_utils._files import text_digest
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import (
    COMPONENTS,
    DATA,
    INPUTS,
    KUBEADM,
    end,
    join_host,
    record,
    recorded,
    start,
)

MANIFEST = """\
spec:
  containers:
  - command:
    - {0}
    - --v={1}
"""
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


@pytest.fixture
def phase(host):
    """Return a function from a phase's words to the argv of kubeadm."""
    config = str(host.path("/etc/kubexms/kubeadm.yaml"))
    return lambda words: ["kubeadm", "init", "phase", *words, "--config", config]


@pytest.fixture
def settled(host, cluster, programs, monkeypatch):
    """Make a healthy control plane as recorded, and a kubelet that follows what kubeadm's phases write.

    The returned object's ``kubelet`` is called with a component and the number of the phase.
    """
    join_host(host)
    for number, name in enumerate(COMPONENTS):
        host.write(manifest(name), MANIFEST.format(name, 0))
        start(host, name, "--v=0", pid=100 + number)
    digests = {name: text_digest(host.read(manifest(name))) for name in COMPONENTS}
    record(host, kubeadm={"state": "done", "inputs": INPUTS, "manifests": digests})
    host.write("/etc/kubernetes/pki/apiserver.crt", PEM)
    monkeypatch.setattr(_kube_certificates.ssl, "get_server_certificate", lambda _address: PEM)
    follow = Following(host)
    called = programs.run_command

    def run_command(argv, **options):
        result = called(argv, **options)
        if result[0] == 0:
            follow.phase(argv[6:8], len(programs.seen))
        return result

    monkeypatch.setattr(programs, "run_command", run_command)
    return follow


class Following:
    """kubeadm, whose phases write files, and a kubelet that starts what is in manifests."""

    def __init__(self, host):
        self.host = host
        self.text = MANIFEST

    def phase(self, words, number):
        if words[0] == "certs":
            for suffix in ("crt", "key"):
                self.host.write(f"/etc/kubernetes/pki/{CERTIFICATES[words[1]]}.{suffix}", PEM)
        for component, phase in PHASES.items():
            if words == phase:
                self.host.write(manifest(component), self.text.format(component, number))
                self.kubelet(component, number)

    def kubelet(self, component, number):
        start(self.host, component, f"--v={number}", pid=200 + number)


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


def test_a_manifest_that_is_there_already_needs_no_new_process(run, host, programs, settled, phase):
    host.write(manifest("etcd"), host.read(manifest("etcd")) + "\n# mine\n")
    settled.text = MANIFEST.replace("{1}", "0")
    settled.kubelet = lambda component, number: None
    programs.expect(phase(PHASES["etcd"]), phase(UPLOAD))
    assert run("kubeadm_control_plane", KUBEADM)["changed"]


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver", "kube-scheduler"])
def test_a_component_that_is_not_started_is_put_back(run, host, programs, settled, phase, component):
    settled.kubelet = lambda name, number: end(host, name)
    before = host.read(manifest(component))
    section = {"etcd": "etcd", "kube-apiserver": "apiServer", "kube-scheduler": "scheduler"}[component]
    setting = {"local": {"imageTag": "3.6.16-0", **EVENT_TTL}} if component == "etcd" else EVENT_TTL
    logs = f"/var/log/pods/kube-system_{component}-node1_{{0}}/{component}/0.log"
    os.utime(host.write(logs.format("a"), "older"), (1, 1))
    host.write(logs.format("b"), "2026-11-23T21:38:50Z stderr F Error: unknown flag: --x\n")
    programs.expect(phase(PHASES[component]))
    result = run("kubeadm_control_plane", with_settings(**{section: setting}))
    assert (result["code"], result["retriable"]) == ("unhealthy", False)
    assert result["msg"].endswith("the kubelet has not started it")
    assert result["tail"] == ["Error: unknown flag: --x"]
    assert host.read(manifest(component)) == before
    assert recorded(host)["kubeadm"]["inputs"] == INPUTS


@pytest.mark.parametrize(
    "case",
    [
        ("apiServer", "kube-apiserver", "/readyz"),
        ("controllerManager", "kube-controller-manager", "/healthz"),
        ("scheduler", "kube-scheduler", "/healthz"),
    ],
)
def test_an_unhealthy_component_is_named_with_its_answer(run, cluster, programs, settled, phase, case):
    section, component, path = case
    cluster.mishaps[("GET", path)] = [(500, "[-]informer-sync failed")]
    programs.expect(phase(PHASES[component]))
    result = run("kubeadm_control_plane", with_settings(**{section: EVENT_TTL}))
    assert result["msg"].startswith(f"{component} does not get healthy")
    assert "[-]informer-sync failed" in result["msg"]
    assert result["tail"] == []


def test_an_api_that_is_not_back_is_waited_for_before_the_upload(run, cluster, programs, settled, phase):
    cluster.mishaps[("GET", "/readyz")] = [(500, "[-]etcd failed")]
    programs.expect(phase(PHASES["kube-scheduler"]))
    assert "[-]etcd failed" in run("kubeadm_control_plane", with_settings(scheduler=EVENT_TTL))["msg"]


def test_a_process_with_other_flags_is_not_the_one(run, programs, settled, phase, host):
    settled.kubelet = lambda component, number: start(host, component, "--v=other", pid=999)
    programs.expect(phase(PHASES["kube-scheduler"]))
    assert "has not started it" in run("kubeadm_control_plane", with_settings(scheduler=EVENT_TTL))["msg"]


@pytest.mark.parametrize(
    ("flag", "server"),
    [
        ("--bind-address=10.0.0.1", "https://10.0.0.1:10259"),
        ("--bind-address=0.0.0.0", "https://127.0.0.1:10259"),
        ("--secure-port=1", "https://127.0.0.1:1"),
        ("--v=2", "https://127.0.0.1:10259"),
    ],
)
def test_where_a_component_is_asked(cluster, flag, server):
    assert _kube_static_pod._local_api("kube-scheduler", ["kube-scheduler", flag]).server == server


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
