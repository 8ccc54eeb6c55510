# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``control-plane``: static Pods of a host that has joined follow the settings, and stay as made.

One component after the other is made anew by kubeadm's own phase and waited for; a manifest with which
its component does not get ready is put back. Hosts are done one at a time by the playbook.
"""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, write_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_certificates import (
    renew_for,
    wait_until_served,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_inputs import (
    ADDRESSES,
    control_plane_inputs,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_static_pod import (
    same_pod,
    static_pod_hash,
    wait_until_replaced,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

ARGUMENTS = config.ARGUMENTS

_PHASES = {
    "etcd": ["etcd", "local"],
    "kube-apiserver": ["control-plane", "apiserver"],
    "kube-controller-manager": ["control-plane", "controller-manager"],
    "kube-scheduler": ["control-plane", "scheduler"],
}
_ALL = "control plane "


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return which settings changed since the static Pods were made, and which manifests were edited.

    Nothing differs on a host that is no control plane yet: init and join make it from these settings.
    """
    differences = Differences()
    if not params["control_plane"] or not membership.control_plane():
        return differences
    recorded = Record().stage(membership.RECORD)
    before, after = recorded.get("inputs", {}), control_plane_inputs(params)
    for setting in sorted(set(before) | set(after)):
        differences.compare(setting, before.get(setting), after.get(setting))
    made = recorded.get("manifests", {})
    for component, digest in membership.manifest_digests().items():
        if digest != made.get(component):
            differences.add(component + " manifest", "edited", "as made from the settings")
    return differences


def apply(client, params, differences):
    """Make what differs anew, component by component, and wait for each."""
    _refuse_moves(differences)
    write_text(paths.KUBEADM_CONFIG, config.render(config.init_documents(params)), "0600")
    renew_for(client, params, differences)
    for component in paths.CONTROL_PLANE:
        if differences.touches(component + " ") or differences.touches(_ALL):
            _make(client, params, component)
    wait_until_served(client, params)
    _phase(client, params, ["upload-config", "kubeadm"])
    membership.finish(control_plane_inputs(params))
    return {}


def _refuse_moves(differences):
    for item in differences:
        if item["path"] in ADDRESSES and item["before"]:
            raise StageError(
                "the {path} of a control plane that runs cannot change".format(**item),
                code="not-supported",
                hint="set it back in the cluster's file; a host moves by removing and joining it again",
            )


def _make(client, params, component):
    api = admin_api()
    path = paths.manifest(component)
    before, hash_before = read_text(path), static_pod_hash(api, component, params["node_name"])
    _phase(client, params, _PHASES[component])
    if before is not None and same_pod(before, read_text(path)):
        return
    try:
        wait_until_replaced(client, api, component, params, hash_before)
    except StageError:
        if before is not None:
            write_text(path, before, "0600")
        raise


def _phase(client, params, phase):
    kubeadm(client, ["init", "phase", *phase, "--config", paths.KUBEADM_CONFIG], seconds=params["timeout"])
