# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``join``: this host becomes a node of the cluster, as a control plane or as a worker."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import PreflightError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import remove
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api, kubelet_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_etcd import remove_member
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_inputs import control_plane_inputs
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_membership import (
    HALF,
    JOINED,
    attempt,
    finish,
    membership,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import unready, wait_until_empty
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm, reset, write_config
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_kubelet import UNIT
from ansible_collections.kubexms.cluster.plugins.module_utils._units import restart

ARGUMENTS = dict(
    config.ARGUMENTS,
    credentials={
        "type": "dict",
        "options": {
            "token": {"type": "str", "required": True, "no_log": True},
            "ca_certificate": {"type": "str", "required": True},
            "certificate_key": {"type": "str", "no_log": True},
            "etcd_servers": {"type": "list", "elements": "str", "default": []},
        },
    },
)

_SHOWN = {HALF: "half made"}
_FIRST_HALF = ("preflight", "control-plane-prepare", "check-etcd", "kubelet-start", "etcd-join")
_SECOND_HALF = ("kubelet-wait-bootstrap", "control-plane-join", "wait-control-plane")


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return what differs: whether this host is a node."""
    found = membership(Record(), params["control_plane"])
    differences = Differences()
    if found != JOINED:
        role = "control plane" if params["control_plane"] else "worker"
        differences.add("node " + params["node_name"], _SHOWN.get(found, ""), role)
    return differences


def apply(client, params, differences):  # noqa: ARG001 - every stage has this signature
    """Join, and wait until this host's Node is Ready; a half-made join is taken away first."""
    credentials = params["credentials"]
    if not credentials:
        raise PreflightError(
            "this host is to join, but the cluster gave it no credentials",
            hint="a Ready node named {0} is in the cluster already: remove that node, or give this host "
            "another name".format(params["node_name"]),
            retriable=True,
        )
    if membership(Record(), params["control_plane"]) == HALF:
        _take_away(client, params)
    with attempt(), _secret_files(params) as path:
        join = _join_control_plane if params["control_plane"] else _join
        join(client, params, path)
    finish(control_plane_inputs(params) if params["control_plane"] else None)
    _wait_until_ready(client, params)
    return {}


def _join(client, params, path, skipped=()):
    words = ["--skip-phases", ",".join(skipped)] if skipped else []
    kubeadm(client, ["join", "--config", path, *words], seconds=params["timeout"] + 30)


def _join_control_plane(client, params, path):
    """Join in two halves, and start the kubelet anew between them.

    The kubelet of a control plane talks to the API server of its own host, which it has yet to start. Its
    retries for a certificate back off up to 16 s and its watches up to 30 s; a new one starts at once.
    """
    _join(client, params, path, skipped=_SECOND_HALF)
    wait_until_empty(client, _local_api_problems, params["timeout"])
    restart(client, UNIT)
    _join(client, params, path, skipped=_FIRST_HALF)


def _local_api_problems():
    admin_api().get("/readyz")
    return {}


def _take_away(client, params):
    """Undo a half-made join; an etcd member that was added already must go, or it counts for quorum."""
    if params["control_plane"] and os.path.exists(paths.ETCD_CLIENT_CERTIFICATE):
        remove_member(params["credentials"]["etcd_servers"], params["advertise_address"])
    reset(client)


@contextlib.contextmanager
def _secret_files(params):
    """Write kubeadm's configuration for the time of the join; the path of the configuration is given."""
    discovery = os.path.join(paths.RUN, "discovery.conf")
    path = os.path.join(paths.RUN, "join.yaml")
    credentials = params["credentials"]
    trust = config.discovery_document(params["endpoint"], credentials)
    document = config.join_document(params, credentials, discovery)
    try:
        write_config(discovery, [trust])
        write_config(path, [document])
        yield path
    finally:
        remove(path)
        remove(discovery)


def _wait_until_ready(client, params):
    path = "/api/v1/nodes/" + params["node_name"]
    api = kubelet_api()

    def problems():
        reason = unready(api.get(path))
        return {params["node_name"]: reason} if reason else {}

    wait_until_empty(client, problems, params["ready_timeout"])
