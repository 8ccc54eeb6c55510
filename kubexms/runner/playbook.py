# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-playbook is given for one call: the playbook and the environment. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubexms.runner.job import Job

EVENTS = "KUBEXMS_EVENTS"
COLLECTION = "kubexms.cluster"
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "TMPDIR")
# A host that vanishes while a command runs is noticed after interval * count = 30 s.
_SSH_ARGUMENTS = (
    "-o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=10 -o ServerAliveCountMax=3"
)


@dataclass(frozen=True)
class Call:
    """One ansible-playbook call: a segment's stages, each with the hosts that still need it."""

    number: int
    segment: str
    stages: tuple[tuple[str, tuple[str, ...]], ...]
    variables: Mapping[str, Any]

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts of the call, in order."""
        return tuple(dict.fromkeys(host for _, hosts in self.stages for host in hosts))


def playbook(call: Call) -> str:
    """Return the playbook as JSON (which is YAML): one import for each stage."""
    imports = [
        {
            "import_playbook": f"{COLLECTION}.{stage.replace('-', '_')}",
            "vars": {**call.variables, "kubexms_hosts": ",".join(hosts)},
        }
        for stage, hosts in call.stages
    ]
    return json.dumps(imports, indent=1)


def inherited(environment: Mapping[str, str], wanted: Sequence[str] = ()) -> dict[str, str]:
    """Return what a supervisor takes over from the environment of who starts it."""
    names = (*_INHERITED, *wanted)
    return {name: environment[name] for name in names if name in environment} | {"LANG": "C.UTF-8"}


def environment(job: Job, *, private: Path, events: Path, plugins: Path) -> dict[str, str]:
    """Return the variables that ansible-playbook gets on top of the supervisor's own.

    ``private`` is the call's own directory, ``plugins`` holds our callback plugin, ``events`` is the
    socket it reports to. Its directory must be short: that of ssh's sockets is the same, and their
    paths are limited to some 100 bytes. ansible.cfg files of the machine or the user play no part.
    """
    return {
        EVENTS: str(events),
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins),
        "ANSIBLE_COLLECTIONS_PATH": job.collections_path,
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "False",
        "ANSIBLE_CONFIG": str(private / "ansible.cfg"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_GATHERING": "explicit",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_SSH_ARGS": _SSH_ARGUMENTS,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(events.parent),
        "ANSIBLE_STDOUT_CALLBACK": "kubexms_events",
    }
