# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``kubelet``: its unit and settings; a kubelet that runs with older ones is restarted once.

Files follow kubeadm's packages (kubelet.service, 10-kubeadm.conf) with one more switch: ``--config-dir``.
Our settings are a file of their own there, which overrides the configuration that kubeadm downloads
from the cluster, so that a setting is compared as a file and not through kubeadm.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    DeadlineError,
    StageError,
    UnhealthyError,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._files import (
    compare_text,
    read_text,
    remove,
    settle_text,
    write_text,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_membership import joined
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record
from ansible_collections.kubexms.cluster.plugins.module_utils._units import (
    compare_unit,
    daemon_reload,
    enable,
    journal,
    restart,
)

ARGUMENTS = {
    "node_ip": {"type": "str"},
    "extra_args": {"type": "dict", "default": {}},
    "configuration": {"type": "dict", "default": {}},
}

RECORD = "kubelet"
UNIT = "kubelet.service"
PROC = "/proc"
MOUNTS = "/proc/self/mounts"
_PROCESS = "kubelet process"
_HEALTH_SECONDS = 60

_UNIT_TEXT = """\
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target containerd.service

[Service]
ExecStart={binary}
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""

_DROP_IN_TEXT = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml --config-dir={directory}"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart={binary} $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""


def files(params):
    """Return path -> text of every file that this stage writes."""
    directory = os.path.dirname(paths.KUBELET_DROP_IN_CONFIG)
    return {
        paths.KUBELET_UNIT: _UNIT_TEXT.format(binary=paths.KUBELET_BINARY),
        paths.KUBELET_DROP_IN: _DROP_IN_TEXT.format(binary=paths.KUBELET_BINARY, directory=directory),
        paths.KUBELET_DEFAULTS: "KUBELET_EXTRA_ARGS={0}\n".format(_arguments(params)),
        paths.KUBELET_DROP_IN_CONFIG: _configuration(params),
    }


def _arguments(params):
    arguments = dict(params["extra_args"])
    if params["node_ip"]:
        arguments["node-ip"] = params["node_ip"]
    return " ".join("--{0}={1}".format(*item) for item in sorted(arguments.items()))


def _configuration(params):
    document = dict(params["configuration"])
    document.update(apiVersion="kubelet.config.k8s.io/v1beta1", kind="KubeletConfiguration")
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def compare(client, params):
    """Return which files and unit states differ, and whether the kubelet runs with older settings."""
    differences = Differences()
    wanted = files(params)
    for path, text in wanted.items():
        compare_text(differences, path, text)
    outdated = bool(differences)
    is_joined = joined()
    state = compare_unit(client, differences, UNIT, active=True if is_joined else None)
    if state.get("ActiveState") == "active" and not outdated and not _current(wanted, state):
        differences.add(_PROCESS, "older settings or binary", "restarted")
    return differences


def _current(wanted, state):
    """Return whether the running kubelet was started with these settings and this binary."""
    if Record().stage(RECORD).get("running") != _fingerprint(wanted):
        return False
    try:
        return os.path.samefile(os.path.join(PROC, state.get("MainPID", "0"), "exe"), paths.KUBELET_BINARY)
    except FileNotFoundError:
        return False


def apply(client, params, differences):
    """Write the files, enable the unit and, on a joined host, restart the kubelet and wait for it.

    Files with which it does not get healthy are put back: other hosts get the same at the same time.
    """
    record, wanted = Record(), files(params)
    for path in wanted:
        record.keep_file(RECORD, path)
    record.remember(RECORD, "mounts", _mounts())
    record.save()
    before = {path: read_text(path) for path in wanted}
    for path, text in wanted.items():
        settle_text(differences, path, text)
    daemon_reload(client)
    enable(client, UNIT)
    if joined():
        try:
            _start_anew(client)
        except StageError:
            _put_back(client, before)
            raise
    record.stage(RECORD)["running"] = _fingerprint(wanted)
    record.save()
    return {}


def _put_back(client, before):
    for path, text in before.items():
        if text is None:
            remove(path)
        else:
            write_text(path, text)
    daemon_reload(client)
    client.run(["systemctl", "restart", UNIT], check=False)


def revert(client, record):
    """Remove or put back the files of a kubelet that was stopped before."""
    for path in sorted(record.kept_files(RECORD)):
        record.restore_file(RECORD, path)
    folder = os.path.dirname(paths.KUBELET_DROP_IN)
    if os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)
    daemon_reload(client)
    client.run(["systemctl", "reset-failed", UNIT], check=False)
    record.forget(RECORD)


def unmount(client, record):
    """Take away the mounts that a kubelet, ended since, made of its folder over itself.

    It does so where mounts are not shared.
    """
    for _mount in range(_mounts() - record.prior(RECORD).get("mounts", _mounts())):
        client.run(["umount", "--recursive", paths.KUBELET_FOLDER])


def _mounts():
    """Return how many mounts lie on the kubelet's folder."""
    lines = (read_text(MOUNTS) or "").splitlines()
    return sum(1 for line in lines if line.split()[1:2] == [paths.KUBELET_FOLDER])


def _fingerprint(wanted):
    """Return a digest of the files that a kubelet reads when it starts.

    Compared with the one recorded, not with clocks: a host's clock may be set between two deploys.
    """
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode("utf-8")).hexdigest()


def _start_anew(client):
    restart(client, UNIT)
    try:
        client.wait(healthy, _HEALTH_SECONDS, "a healthy kubelet")
    except DeadlineError as error:
        raise UnhealthyError(
            "the kubelet does not get healthy with its new settings within {0} s".format(_HEALTH_SECONDS),
            hint="its former settings are back; correct extra_args or configuration",
            tail=journal(client, UNIT),
            retriable=False,
        ) from error


def healthy():
    """Return whether this host's kubelet says that it is healthy."""
    connection = http.client.HTTPConnection("127.0.0.1", paths.KUBELET_HEALTH_PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
