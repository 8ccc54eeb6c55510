# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubelet, whole: files, unit, and the restart of a kubelet that has joined."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_kubelet
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import join_host, record, recorded

UNIT = "kubelet.service"
PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,ActiveEnterTimestampMonotonic,NRestarts,MainPID"
SHOW = ["systemctl", "show", UNIT, "--property=" + PROPERTIES]
RELOAD, ENABLE = ["systemctl", "daemon-reload"], ["systemctl", "enable", UNIT]
RESTART = ["systemctl", "restart", UNIT]
JOURNAL = ["journalctl", "--no-pager", "--output=cat", "--lines=20", "--unit=" + UNIT]
ABSENT = (SHOW, 0, "Id=kubelet.service\nActiveState=inactive\nUnitFileState=\n")
RUNNING = (SHOW, 0, "Id=kubelet.service\nActiveState=active\nUnitFileState=enabled\nMainPID=7\n")
STOPPED = (SHOW, 0, "Id=kubelet.service\nActiveState=inactive\nUnitFileState=enabled\nMainPID=0\n")

SETTINGS = "/etc/kubernetes/kubelet.conf.d/50-kubexms.conf"
DEFAULTS = "/etc/default/kubelet"
FILES = [
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
    DEFAULTS,
    SETTINGS,
]
ARGUMENTS = {"node_ip": "10.77.2.11", "extra_args": {"v": 2}, "configuration": {"maxPods": 77}}


@pytest.fixture
def healthy(monkeypatch):
    """Return the answers of the kubelet's health check, the last one for ever."""
    answers = [True]
    monkeypatch.setattr(_stage_kubelet, "healthy", lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    monkeypatch.setattr(_stage_kubelet, "_HEALTH_SECONDS", 0)
    return answers


@pytest.fixture
def placed(run, host, programs):
    """Set up a host that has not joined, with ARGUMENTS."""
    host.write("/proc/self/mounts", "/dev/vda / ext4 rw 0 0\n")
    binary = host.write("/usr/local/bin/kubelet", "binary")
    programs.expect(ABSENT, RELOAD, ENABLE)
    result = run("kubelet", ARGUMENTS)
    process = host.path("/proc/7/exe")
    process.parent.mkdir(parents=True)
    process.symlink_to(binary)
    return result


def test_a_host_that_has_not_joined_is_prepared(placed, host):
    assert placed["changed"]
    assert placed.paths == [*FILES, UNIT + " enabled"]
    assert host.read(DEFAULTS) == "KUBELET_EXTRA_ARGS=--node-ip=10.77.2.11 --v=2\n"
    settings = json.loads(host.read(SETTINGS))
    assert settings == {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "maxPods": 77,
    }
    assert "--config-dir=/etc/kubernetes/kubelet.conf.d" in host.read(FILES[1])
    assert recorded(host)["kubelet"]["prior"] == {"mounts": 0}


def test_a_second_run_is_one_look(placed, run, host, programs):
    before = host.files()
    programs.expect((SHOW, 0, "ActiveState=inactive\nUnitFileState=enabled\n"))
    assert not run("kubelet", ARGUMENTS)["changed"]
    assert host.files().keys() - {"run/kubexms/lock"} == before.keys() - {"run/kubexms/lock"}


def test_check_mode_shows_settings_and_writes_nothing(run, host, programs):
    programs.expect(ABSENT)
    result = run("kubelet", ARGUMENTS, check=True, diff=True)
    assert result.paths == [*FILES, UNIT + " enabled"]
    assert '"maxPods": 77' in result["diff"]["after"]
    assert host.files() == {}


def test_a_joined_kubelet_is_restarted_once(placed, run, host, programs, healthy):
    join_host(host)
    changed = {**ARGUMENTS, "configuration": {"maxPods": 78}}
    healthy[:] = [False, True]
    programs.expect(RUNNING, RELOAD, ENABLE, RESTART)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_stage_kubelet, "_HEALTH_SECONDS", 5)
        assert run("kubelet", changed).paths == [SETTINGS]
    programs.expect(RUNNING)
    assert not run("kubelet", changed)["changed"]


@pytest.mark.parametrize("cause", ["binary", "settings", "gone"])
def test_a_kubelet_that_runs_with_something_older_is_restarted(placed, run, host, programs, healthy, cause):
    join_host(host)
    if cause == "binary":
        host.path("/usr/local/bin/kubelet").unlink()
        host.write("/usr/local/bin/kubelet", "newer")
        host.path("/proc/7/exe").unlink()
        host.write("/proc/7/exe", "binary")
    elif cause == "settings":
        record(host, kubelet={"running": "another", "prior": {"mounts": 0}})
    else:
        host.path("/proc/7/exe").unlink()
    programs.expect(RUNNING, RELOAD, ENABLE, RESTART)
    result = run("kubelet", ARGUMENTS)
    assert result.row("kubelet process") == ("older settings or binary", "restarted")


def test_a_joined_kubelet_that_is_down_is_started(placed, run, host, programs, healthy):
    join_host(host)
    programs.expect(STOPPED, RELOAD, ENABLE, RESTART)
    assert run("kubelet", ARGUMENTS).paths == [UNIT + " active"]


def test_settings_that_do_not_work_are_put_back(placed, run, host, programs, healthy):
    join_host(host)
    host.path(FILES[0]).unlink()
    before = host.read(SETTINGS)
    healthy[:] = [False]
    log = (JOURNAL, 0, "invalid configuration: maxPods\n")
    programs.expect(RUNNING, RELOAD, ENABLE, RESTART, log, RELOAD, RESTART)
    result = run("kubelet", {**ARGUMENTS, "configuration": {"maxPods": -1}})
    assert (result["code"], result["retriable"]) == ("unhealthy", False)
    assert result["tail"] == ["invalid configuration: maxPods"]
    assert host.read(SETTINGS) == before
    assert not host.path(FILES[0]).exists()


def test_a_kubelet_that_does_not_start_is_named_with_its_log(placed, run, host, programs, healthy):
    join_host(host)
    failed = (RESTART, 1, "", "Job failed")
    programs.expect(STOPPED, RELOAD, ENABLE, failed, (JOURNAL, 0, "no such flag\n"), RELOAD, RESTART)
    result = run("kubelet", ARGUMENTS)
    assert result["failed"]
    assert result["tail"] == ["no such flag"]


class TestHealth:
    """The health check itself, over plain HTTP."""

    def test_an_answer(self, monkeypatch, server):
        server.files[""] = b"ok"
        monkeypatch.setattr(_stage_kubelet.paths, "KUBELET_HEALTH_PORT", server.http.server_port)
        monkeypatch.setattr(
            server, "answer", lambda request: request.send_response(200) or request.end_headers()
        )
        assert _stage_kubelet.healthy()

    def test_no_answer(self, monkeypatch):
        monkeypatch.setattr(_stage_kubelet.paths, "KUBELET_HEALTH_PORT", 1)
        assert not _stage_kubelet.healthy()


class TestRevert:
    """What reset calls."""

    def test_files_go_or_come_back(self, placed, host, client, programs):
        host.write(DEFAULTS, "changed since\n")
        known = Record()
        programs.expect(RELOAD, ["systemctl", "reset-failed", UNIT])
        _stage_kubelet.revert(client, known)
        assert not [path for path in FILES if host.path(path).exists()]
        assert not host.path("/etc/systemd/system/kubelet.service.d").exists()
        assert known.stage("kubelet") == {}

    @pytest.mark.parametrize(("mounts", "calls"), [(0, 0), (1, 0), (3, 2)])
    def test_mounts_over_its_own_folder_go(self, host, client, programs, mounts, calls):
        folder = str(host.path("/var/lib/kubelet"))
        host.write("/proc/self/mounts", f"/dev/vda {folder} ext4 rw 0 0\n" * mounts)
        record(host, kubelet={"prior": {"mounts": 1}})
        programs.expect(*[["umount", "--recursive", folder]] * calls)
        _stage_kubelet.unmount(client, Record())
