# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated playbook and the environment that ansible-playbook gets."""

import json
from pathlib import Path

from kubexms.runner.job import Job, Segment
from kubexms.runner.playbook import Call, environment, inherited, playbook

JOB = Job("r", "t", "deploy", "/i.yml", "/collections", (Segment("s", (("host", ("a",)),)),))


def test_a_playbook_imports_each_stage_with_its_hosts() -> None:
    call = Call(3, "s", (("host", ("a", "b")), ("join", ("b",))), {"kubexms_delegate": "a"})
    assert json.loads(playbook(call)) == [
        {
            "import_playbook": "kubexms.cluster.host",
            "vars": {"kubexms_hosts": "a,b", "kubexms_delegate": "a"},
        },
        {
            "import_playbook": "kubexms.cluster.join",
            "vars": {"kubexms_hosts": "b", "kubexms_delegate": "a"},
        },
    ]
    assert call.hosts == ("a", "b")


def test_a_supervisor_takes_over_little() -> None:
    given = {"PATH": "/bin", "HOME": "/root", "SECRET": "x", "PYTHONPATH": "/evil", "ANSIBLE_DEBUG": "1"}
    assert inherited(given) == {"PATH": "/bin", "HOME": "/root", "LANG": "C.UTF-8"}
    assert inherited({"SSH_AUTH_SOCK": "/s"})["SSH_AUTH_SOCK"] == "/s"


def test_the_environment_is_ours_alone() -> None:
    variables = environment(
        JOB, private=Path("/run/1"), events=Path("/run/kubexms/x/events-1"), plugins=Path("/plugins")
    )
    assert variables["ANSIBLE_CONFIG"] == "/run/1/ansible.cfg"
    assert variables["ANSIBLE_COLLECTIONS_PATH"] == "/collections"
    assert variables["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert variables["ANSIBLE_PIPELINING"] == "True"
    assert variables["ANSIBLE_GATHERING"] == "explicit"
    assert variables["ANSIBLE_SSH_CONTROL_PATH_DIR"] == "/run/kubexms/x"
    assert "ControlPersist" in variables["ANSIBLE_SSH_ARGS"]
    assert variables["ANSIBLE_STDOUT_CALLBACK"] == "kubexms_events"
    assert variables["KUBEXMS_EVENTS"] == "/run/kubexms/x/events-1"
