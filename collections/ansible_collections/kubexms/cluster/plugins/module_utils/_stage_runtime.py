# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``runtime``: containerd's configuration, registries and unit; running and healthy.

containerd keeps pods running while it restarts. It is restarted when its configuration, unit or
binary is not the one that it runs with; registries' hosts.toml are read at each pull.
"""

from __future__ import annotations

import hashlib
import json
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_runtime_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    DeadlineError,
    PreflightError,
    UnhealthyError,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._files import (
    compare_text,
    read_mode,
    read_text,
    settle_text,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_runtime_check import check
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_runtime_revert import (
    FOLDERS,
    RECORD,
    UNIT,
    revert,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._units import (
    compare_unit,
    daemon_reload,
    enable,
    journal,
    restart,
    unit_state,
)

ARGUMENTS = {
    "sandbox_image": {"type": "str", "required": True},
    "restrict_oom_score_adj": {"type": "bool", "default": False},
    "registries": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "host": {"type": "str", "required": True},
            "mirrors": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "url": {"type": "str", "required": True},
                    "capabilities": {
                        "type": "list",
                        "elements": "str",
                        "choices": ["pull", "resolve", "push"],
                        "default": ["pull", "resolve"],
                    },
                    "skip_verify": {"type": "bool", "default": False},
                    "override_path": {"type": "bool", "default": False},
                },
            },
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "ca": {"type": "str"},
        },
    },
    "extra_config": {"type": "str", "default": ""},
    "binary_directory": {"type": "path", "default": "/usr/local/bin"},
}

__all__ = ["ARGUMENTS", "apply", "compare", "revert"]

PROC = "/proc"
_PROCESS = "containerd process"
_HEALTH_SECONDS = 60


def settings(params):
    """Return path -> text (None for no file) of what containerd reads when it starts."""
    return {
        config.CONFIG: config.config_text(params),
        config.UNIT: config.unit_text(params),
        config.EXTRA: config.extra_text(params),
    }


def registries(params, record):
    """Return path -> (text, secret) of what it reads at each pull.

    The text is None for a file that we made and want no more.
    """
    wanted = dict.fromkeys(record.stage(RECORD).get("registries", []), (None, False))
    wanted.update(config.registry_files(params["registries"]))
    return wanted


def compare(client, params):
    """Return which files differ, and how the unit is not as it should be."""
    differences, record = Differences(), Record()
    for path, text in settings(params).items():
        compare_text(differences, path, text)
    outdated = bool(differences)
    for path, (text, secret) in registries(params, record).items():
        if secret:
            _compare_secret(differences, path, text)
        else:
            compare_text(differences, path, text)
    state = compare_unit(client, differences, UNIT)
    if state.get("ActiveState") == "active" and not outdated and not _current(params, record, state):
        differences.add(_PROCESS, "older settings or binary", "restarted")
    return differences


def _compare_secret(differences, path, wanted):
    found = read_text(path)
    if found != wanted or read_mode(path) != "0600":
        differences.add_secret(path)


def _current(params, record, state):
    """Return whether the running containerd was started with these settings and this binary."""
    if record.stage(RECORD).get("running") != _fingerprint(settings(params)):
        return False
    running = os.path.join(PROC, state.get("MainPID", "0"), "exe")
    try:
        return os.path.samefile(running, _binary(params))
    except FileNotFoundError:
        return False


def _binary(params):
    return os.path.join(params["binary_directory"], "containerd")


def _fingerprint(wanted):
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode("utf-8")).hexdigest()


def apply(client, params, differences):
    """Write the files; restart containerd when it runs with others, and wait until it answers."""
    if not os.path.exists(_binary(params)):
        raise PreflightError(
            "{0} does not exist".format(_binary(params)),
            hint="stage files places it: run that first, or set binary_directory",
        )
    if differences.has(config.CONFIG) or differences.has(config.EXTRA):
        check(client, _binary(params), params)
    record = Record()
    wanted, pulls = settings(params), registries(params, record)
    _note(client, record, wanted, pulls)
    for path, (text, secret) in pulls.items():
        settle_text(differences, path, text, "0600" if secret else "0644")
    changed = [settle_text(differences, path, text) for path, text in wanted.items()]
    if differences.has(UNIT + " enabled"):
        enable(client, UNIT)  # systemd reads its unit files anew with it
    elif differences.has(config.UNIT) or differences.has(_PROCESS):
        daemon_reload(client)
    if any(changed) or differences.has(_PROCESS) or differences.has(UNIT + " active"):
        restart(client, UNIT)
        _wait_until_healthy(client)
    record.stage(RECORD)["running"] = _fingerprint(wanted)
    record.stage(RECORD)["registries"] = sorted(path for path in pulls if pulls[path][0] is not None)
    record.save()


def _note(client, record, wanted, pulls):
    """Keep what was there before, and what we are about to make: a later call must find it to remove it."""
    if "unit" not in record.prior(RECORD):
        record.remember(RECORD, "unit", unit_state(client, UNIT).get("ActiveState"))
        record.remember(
            RECORD, "folders", [path for path in FOLDERS if os.path.isdir(path) and os.listdir(path)]
        )
    for path in [*wanted, *pulls]:
        record.keep_file(RECORD, path)
    record.stage(RECORD)["registries"] = sorted(pulls)
    record.save()


def _wait_until_healthy(client):
    try:
        client.wait(lambda: answers(client), _HEALTH_SECONDS, "an answer of containerd")
    except DeadlineError as error:
        raise UnhealthyError(
            "containerd runs and does not answer after {0} s".format(_HEALTH_SECONDS),
            hint="read its log with journalctl -u containerd; extra_config may be wrong",
            tail=journal(client, UNIT),
        ) from error


def answers(client):
    """Return whether containerd answers a client."""
    return client.run(["ctr", "version"], check=False, seconds=10).status == 0
