# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``init``: the first control plane of a new cluster, by ``kubeadm init``.

Settings of a control plane that exists are not compared here but in ``_stage_control_plane``.
"""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import answers
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_inputs import control_plane_inputs
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_membership import (
    HALF,
    JOINED,
    attempt,
    finish,
    membership,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm, reset, write_config
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

ARGUMENTS = config.ARGUMENTS

_SHOWN = {HALF: "half made"}


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return what differs: whether this host is a control plane, where it is to be one."""
    differences = Differences()
    if not params["control_plane"]:
        return differences
    found = membership(Record(), control_plane=True)
    if found != JOINED:
        differences.add("control plane", _SHOWN.get(found, ""), params["version"])
    return differences


def apply(client, params, differences):  # noqa: ARG001 - every stage has this signature
    """Make this host the first control plane; a half-made one is taken away first."""
    if membership(Record(), control_plane=True) == HALF:
        reset(client)
    if answers(params["endpoint"]):
        raise StageError(
            "a cluster answers at {0} already, and this host is not part of it".format(params["endpoint"]),
            code="cluster-exists",
            hint="join this host to it, or give the new cluster an endpoint of its own",
        )
    write_config(paths.KUBEADM_CONFIG, config.init_documents(params))
    words = ["init", "--config", paths.KUBEADM_CONFIG, "--skip-phases", "show-join-command"]
    with attempt():
        kubeadm(client, words, params["timeout"] + 30, hint="read journalctl -u kubelet on this host")
    finish(control_plane_inputs(params))
    return {}
