# SPDX-License-Identifier: GPL-3.0-or-later
"""The module containerd, whole: files, unit, restarts only when they are due, secrets hidden."""

from __future__ import annotations

import base64
import tomllib

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_runtime, _stage_runtime_revert
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_runtime_config import quoted

UNIT = "containerd.service"
CONFIG = "/etc/containerd/config.toml"
EXTRA = "/etc/containerd/conf.d/60-kubexms-extra.toml"
UNIT_FILE = "/etc/systemd/system/containerd.service"
CERTS = "/etc/containerd/certs.d"
SHOW = [
    "systemctl",
    "show",
    UNIT,
    "--property=Id,LoadState,ActiveState,SubState,UnitFileState,ActiveEnterTimestampMonotonic,NRestarts,MainPID",
]
ABSENT = (SHOW, 0, "Id=containerd.service\nLoadState=not-found\nActiveState=inactive\nMainPID=0\n")
RUNNING = (SHOW, 0, "Id=containerd.service\nActiveState=active\nUnitFileState=enabled\nMainPID=77\n")
RESTART = ["systemctl", "restart", UNIT]
VERSION = ["ctr", "version"]
PASSWORD = "correct-horse-battery"


@pytest.fixture
def dump(host):
    """Return the row by which containerd reads a configuration before it is put in place."""
    binary = str(host.path("/usr/local/bin/containerd"))
    return [binary, "--config", str(host.path("/run/kubexms/containerd/config.toml")), "config", "dump"]


@pytest.fixture
def arguments(host):
    host.write("/usr/local/bin/containerd", "binary", 0o755)
    return {
        "sandbox_image": "registry.k8s.io/pause:3.10.2",
        "binary_directory": str(host.path("/usr/local/bin")),
    }


@pytest.fixture
def installed(run, host, programs, arguments, dump):
    """Have the stage done with the given arguments; process 77 runs the binary."""

    def install(**more):
        programs.expect(ABSENT, dump, ABSENT, ["systemctl", "enable", UNIT], RESTART, VERSION)
        run("containerd", {**arguments, **more})
        host.path("/proc/77").mkdir(parents=True)
        host.path("/proc/77/exe").symlink_to(host.path("/usr/local/bin/containerd"))
        return {**arguments, **more}

    return install


def test_a_first_run_writes_enables_and_starts(run, host, programs, arguments, dump):
    programs.expect(ABSENT, dump, ABSENT, ["systemctl", "enable", UNIT], RESTART, VERSION)
    result = run("containerd", arguments)
    assert result.paths == [CONFIG, UNIT_FILE, f"{UNIT} enabled", f"{UNIT} active"]
    config = tomllib.loads(host.read(CONFIG))
    assert config["version"] == 3
    images = config["plugins"]["io.containerd.cri.v1.images"]
    assert images["pinned_images"]["sandbox"] == "registry.k8s.io/pause:3.10.2"
    assert images["registry"]["config_path"] == CERTS
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is False
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert "ExecStart=/usr/local/bin/containerd\n" in host.read(UNIT_FILE)


def test_the_second_run_changes_nothing(run, programs, installed, host):
    arguments = installed()
    before = host.files()
    programs.expect(RUNNING)
    result = run("containerd", arguments)
    assert (result["changed"], result["differences"]) == (False, [])
    after = host.files()
    assert {path: after[path] for path in before if path != "run/kubexms/lock"} == {
        path: state for path, state in before.items() if path != "run/kubexms/lock"
    }


def test_check_mode_writes_nothing(run, host, programs, arguments):
    before = host.files()
    programs.expect(ABSENT)
    result = run("containerd", arguments, check=True, diff=True)
    assert "    SystemdCgroup = true\n" in result["diff"]["after"]
    assert host.files() == before


def test_a_changed_setting_restarts(run, host, programs, installed, dump):
    arguments = installed()
    programs.expect(RUNNING, dump, RESTART, VERSION)
    result = run("containerd", {**arguments, "restrict_oom_score_adj": True})
    assert result.paths == [CONFIG]
    assert "restrict_oom_score_adj = true" in host.read(CONFIG)


def test_a_changed_unit_is_read_anew(run, host, programs, installed):
    arguments = installed()
    host.write(UNIT_FILE, "[Unit]\n")
    programs.expect(RUNNING, ["systemctl", "daemon-reload"], RESTART, VERSION)
    assert run("containerd", arguments).paths == [UNIT_FILE]


def test_a_replaced_binary_restarts(run, host, programs, installed):
    arguments = installed()
    running = host.path("/proc/77/exe")
    running.unlink()
    host.write("/old", "older")
    running.symlink_to(host.path("/old"))
    programs.expect(RUNNING, ["systemctl", "daemon-reload"], RESTART, VERSION)
    assert run("containerd", arguments).row("containerd process") == ("older settings or binary", "restarted")


def test_a_binary_that_was_removed_restarts(run, host, programs, installed):
    arguments = installed()
    host.path("/proc/77/exe").unlink()
    programs.expect(RUNNING, ["systemctl", "daemon-reload"], RESTART, VERSION)
    assert run("containerd", arguments).paths == ["containerd process"]


def test_a_run_cut_off_before_the_restart_is_finished(run, programs, installed):
    arguments = installed()
    record = Record()
    record.stage("runtime")["running"] = "what ran before"
    record.save()
    programs.expect(RUNNING, ["systemctl", "daemon-reload"], RESTART, VERSION)
    assert run("containerd", arguments).paths == ["containerd process"]


def test_a_stopped_containerd_is_started(run, programs, installed):
    arguments = installed()
    stopped = (SHOW, 0, "ActiveState=failed\nUnitFileState=enabled\nMainPID=0\n")
    programs.expect(stopped, RESTART, VERSION)
    assert run("containerd", arguments).row(f"{UNIT} active") == ("false", "true")


def test_registries_need_no_restart_and_go_when_unwanted(run, host, programs, installed):
    arguments = installed()
    mirror = {"url": "https://mirror.example:5000/hub/v2", "override_path": True, "skip_verify": True}
    registries = [
        {"host": "docker.io", "mirrors": [mirror, {"url": "http://10.0.0.9", "capabilities": ["pull"]}]},
        {"host": "own.example", "ca": "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n\n"},
        {"host": "plain.example"},
    ]
    programs.expect(RUNNING)
    result = run("containerd", {**arguments, "registries": registries})
    assert result.paths == [
        f"{CERTS}/docker.io/hosts.toml",
        f"{CERTS}/own.example/ca.crt",
        f"{CERTS}/own.example/hosts.toml",
    ]
    assert tomllib.loads(host.read(f"{CERTS}/docker.io/hosts.toml")) == {
        "host": {
            "https://mirror.example:5000/hub/v2": {
                "capabilities": ["pull", "resolve"],
                "skip_verify": True,
                "override_path": True,
            },
            "http://10.0.0.9": {"capabilities": ["pull"]},
        }
    }
    assert tomllib.loads(host.read(f"{CERTS}/own.example/hosts.toml")) == {
        "ca": f"{CERTS}/own.example/ca.crt"
    }
    programs.expect(RUNNING)
    assert not run("containerd", {**arguments, "registries": registries})["changed"]
    programs.expect(RUNNING)
    result = run("containerd", {**arguments, "registries": registries[:1]})
    assert result.paths == [f"{CERTS}/own.example/ca.crt", f"{CERTS}/own.example/hosts.toml"]
    assert result.row(f"{CERTS}/own.example/ca.crt")[1] == ""
    assert not host.path(f"{CERTS}/own.example/ca.crt").exists()
    programs.expect(RUNNING)
    assert not run("containerd", {**arguments, "registries": registries[:1]})["changed"]


def test_credentials_are_secret_and_reach_mirrors(run, host, programs, installed, capsys):
    arguments = installed()
    registries = [
        {"host": "own.example:5000", "username": "robot", "password": PASSWORD, "ca": "PEM"},
        {"host": "docker.io", "mirrors": [{"url": "https://own.example:5000"}, {"url": "https://other"}]},
    ]
    programs.expect(RUNNING)
    result = run("containerd", {**arguments, "registries": registries}, diff=True)
    basic = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    assert PASSWORD not in str(result)
    assert basic not in str(result)
    own, hub = f"{CERTS}/own.example:5000/hosts.toml", f"{CERTS}/docker.io/hosts.toml"
    assert result.row(own) == result.row(hub) == ("(hidden)", "(hidden, changed)")
    for path in (own, hub):
        assert host.path(path).stat().st_mode & 0o777 == 0o600
    header = {"Authorization": f"Basic {basic}"}
    assert tomllib.loads(host.read(own)) == {"ca": f"{CERTS}/own.example:5000/ca.crt", "header": header}
    hosts = tomllib.loads(host.read(hub))["host"]
    assert hosts["https://own.example:5000"]["header"] == header
    assert "header" not in hosts["https://other"]
    programs.expect(RUNNING)
    assert not run("containerd", {**arguments, "registries": registries})["changed"]
    host.path(own).chmod(0o644)
    programs.expect(RUNNING)
    assert run("containerd", {**arguments, "registries": registries}).paths == [own]
    assert host.path(own).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["[debug]\nlevel = 'info'\n", "version = 3\n[debug]\nlevel = 'info'\n"])
def test_extra_configuration(run, host, programs, installed, dump, text):
    arguments = installed()
    programs.expect(RUNNING, dump, RESTART, VERSION)
    assert run("containerd", {**arguments, "extra_config": text}).paths == [EXTRA]
    assert tomllib.loads(host.read(EXTRA)) == {"version": 3, "debug": {"level": "info"}}
    programs.expect(RUNNING, dump, RESTART, VERSION)
    assert run("containerd", arguments).row(EXTRA)[1] == ""
    assert not host.path(EXTRA).exists()


def test_a_configuration_that_containerd_refuses_changes_nothing(run, host, programs, installed, dump):
    arguments = installed()
    before = host.files()
    seen = []
    run_command = programs.run_command

    def look(argv, **options):
        if "dump" in argv:
            seen.append(tomllib.loads(host.read("/run/kubexms/containerd/config.toml"))["imports"])
            seen.append(host.read("/run/kubexms/containerd/conf.d/extra.toml").splitlines()[-1])
        return run_command(argv, **options)

    programs.run_command = look
    programs.expect(RUNNING, (dump, 1, "", "level=error\ncontainerd: toml: expected character ]\n"))
    result = run("containerd", {**arguments, "extra_config": "[debug"})
    assert (result["code"], result["retriable"]) == ("preflight-failed", False)
    assert result["msg"] == "containerd refuses the configuration: containerd: toml: expected character ]"
    assert seen == [["/run/kubexms/containerd/conf.d/*.toml"], "[debug"]
    after = host.files()
    assert before.keys() == after.keys()
    assert {path for path in after if after[path] != before[path]} <= {"run/kubexms/lock"}


def test_a_password_that_goes_away_is_not_shown(run, programs, installed):
    robot = {"host": "own.example", "username": "robot", "password": PASSWORD}
    arguments = installed(registries=[robot])
    basic = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    for registries in ([{**robot, "username": None, "ca": "PEM"}], []):
        programs.expect(RUNNING)
        result = run("containerd", {**arguments, "registries": registries}, check=True, diff=True)
        assert result["changed"]
        assert basic not in str(result)


def test_without_a_binary_nothing_is_written(run, host, programs, arguments):
    host.path("/usr/local/bin/containerd").unlink()
    programs.expect(ABSENT)
    result = run("containerd", arguments)
    assert result["code"] == "preflight-failed"
    assert "stage files" in result["hint"]
    assert not host.path(CONFIG).exists()


def test_one_that_does_not_start_says_why(run, programs, arguments, dump):
    programs.expect(
        ABSENT,
        dump,
        ABSENT,
        ["systemctl", "enable", UNIT],
        (RESTART, 1, "", "Job failed"),
        (
            ["journalctl", "--no-pager", "--output=cat", "--lines=20", f"--unit={UNIT}"],
            0,
            "containerd: invalid plugin config\n",
        ),
    )
    result = run("containerd", arguments)
    assert (result["code"], result["tail"]) == ("command-failed", ["containerd: invalid plugin config"])


def test_one_that_does_not_answer_is_unhealthy(run, programs, arguments, dump, monkeypatch):
    monkeypatch.setattr(_stage_runtime, "_HEALTH_SECONDS", 0)
    programs.expect(
        ABSENT,
        dump,
        ABSENT,
        ["systemctl", "enable", UNIT],
        RESTART,
        (VERSION, 1, "", "ctr: failed to dial"),
        (["journalctl", "--no-pager", "--output=cat", "--lines=20", f"--unit={UNIT}"], 0, "waiting\n"),
    )
    result = run("containerd", arguments)
    assert (result["code"], result["tail"], result["retriable"]) == ("unhealthy", ["waiting"], True)


def test_revert_ends_containers_and_removes_what_was_made(host, programs, client, installed):
    installed(registries=[{"host": "docker.io", "mirrors": [{"url": "https://m"}]}])
    host.write("/var/lib/containerd/meta.db", "")
    host.write("/run/containerd/containerd.sock", "")
    rootfs = str(host.path("/run/containerd/task/a/rootfs"))
    host.write("/proc/self/mounts", f"overlay / overlay rw 0 0\noverlay {rootfs} overlay rw 0 0\n")
    tasks = ["ctr", "--namespace", "k8s.io", "tasks"]
    programs.expect(
        ([*tasks, "ls", "--quiet"], 0, "a\n"),
        [*tasks, "kill", "--all", "--signal", "SIGKILL", "a"],
        ([*tasks, "ls", "--quiet"], 0, "a\n"),
        [*tasks, "rm", "a"],
        [*tasks, "ls", "--quiet"],
        ["systemctl", "disable", "--now", UNIT],
        ["systemctl", "daemon-reload"],
        ["umount", "--lazy", rootfs],
    )
    record = Record()
    _stage_runtime.revert(client, record)
    for folder in ("/etc/containerd", "/var/lib/containerd", "/run/containerd"):
        assert not host.path(folder).exists()
    assert not host.path(UNIT_FILE).exists()
    assert record.stage("runtime") == {}


def test_revert_keeps_a_containerd_that_was_there_before(host, programs, client, run, arguments, dump):
    host.write(CONFIG, "version = 2\n")
    host.write("/var/lib/containerd/meta.db", "theirs")
    programs.expect(RUNNING, dump, RUNNING, ["systemctl", "daemon-reload"], RESTART, VERSION)
    run("containerd", arguments)
    programs.expect(
        ["ctr", "--namespace", "k8s.io", "tasks", "ls", "--quiet"],
        ["ctr", "--namespace", "k8s.io", "tasks", "ls", "--quiet"],
        ["ctr", "--namespace", "k8s.io", "tasks", "ls", "--quiet"],
        ["systemctl", "disable", "--now", UNIT],
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", UNIT],
    )
    _stage_runtime.revert(client, Record())
    assert host.read(CONFIG) == "version = 2\n"
    assert host.read("/var/lib/containerd/meta.db") == "theirs"


def test_revert_empties_a_folder_that_is_a_mount(host, programs, client, installed, monkeypatch):
    installed()
    host.write("/var/lib/containerd/io/db", "")
    host.write("/var/lib/containerd/file", "")
    monkeypatch.setattr(
        _stage_runtime_revert.os.path, "ismount", lambda path: path.endswith("/var/lib/containerd")
    )
    tasks = ["ctr", "--namespace", "k8s.io", "tasks", "ls", "--quiet"]
    programs.expect(
        tasks, tasks, tasks, ["systemctl", "disable", "--now", UNIT], ["systemctl", "daemon-reload"]
    )
    _stage_runtime.revert(client, Record())
    assert list(host.path("/var/lib/containerd").iterdir()) == []


def test_revert_of_a_host_without_the_stage(host, client):
    _stage_runtime.revert(client, Record())
    assert host.files() == {}


@pytest.mark.parametrize("text", ['a"b', "a\\b", "tab\t", "new\nline", "ünïcode", "\x7f\x00"])
def test_texts_survive_toml(text):
    assert tomllib.loads(f"key = {quoted(text)}")["key"] == text
