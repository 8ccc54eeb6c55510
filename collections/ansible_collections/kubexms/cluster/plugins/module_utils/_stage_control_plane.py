# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``control-plane``: static Pods of a host that has joined follow the settings, and stay as made.

Components are made anew by kubeadm's own phases and waited for: etcd, then the API server, then the two
that only need these. A manifest with which its component does not get healthy is put back. Hosts are done
one at a time by the playbook.
"""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, write_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api, endpoint_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_certificates import (
    renew_for,
    wait_until_served,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_inputs import (
    ADDRESSES,
    control_plane_inputs,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import wait_until_empty
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_processes import processes
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_static_pod import (
    same_pod,
    wait_until_replaced,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm, write_config
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

ARGUMENTS = config.ARGUMENTS

_PHASES = {
    "etcd": ["etcd", "local"],
    "kube-apiserver": ["control-plane", "apiserver"],
    "kube-controller-manager": ["control-plane", "controller-manager"],
    "kube-scheduler": ["control-plane", "scheduler"],
}
_GROUPS = (("etcd",), ("kube-apiserver",), ("kube-controller-manager", "kube-scheduler"))
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
    write_config(paths.KUBEADM_CONFIG, config.init_documents(params))
    renew_for(client, params, differences)
    for group in _GROUPS:
        changed = [one for one in group if differences.touches(one + " ") or differences.touches(_ALL)]
        written = [(one, *_write(client, params, one)) for one in changed]
        for component, before, running in written:
            _settle(client, params, component, before, running)
    wait_until_served(client, params)
    wait_until_empty(client, _api_problems, params["timeout"])
    _phase(client, params, ["upload-config", "kubeadm"])
    membership.finish(control_plane_inputs(params))
    return {}


def _api_problems():
    """kubeadm uploads its configuration through the endpoint, which may be another host's API server."""
    for api in (admin_api(), endpoint_api()):
        api.get("/readyz")
    return {}


def _refuse_moves(differences):
    for item in differences:
        if item["path"] in ADDRESSES and item["before"]:
            raise StageError(
                "the {path} of a control plane that runs cannot change".format(**item),
                code="not-supported",
                hint="set it back in the cluster's file; a host moves by removing and joining it again",
            )


def _write(client, params, component):
    """Have kubeadm write a manifest; return the former one and the processes that ran with it."""
    before, running = read_text(paths.manifest(component)), processes(component)
    _phase(client, params, _PHASES[component])
    return before, running


def _settle(client, params, component, before, running):
    """Wait until a component runs with its new manifest, or put the former one back.

    A manifest may be there already, from a call that was cut off: then any process that runs with it will do.
    """
    path = paths.manifest(component)
    same = before is not None and same_pod(before, read_text(path))
    try:
        wait_until_replaced(client, component, params, {} if same else running)
    except StageError:
        if before is not None:
            write_text(path, before, "0600")
        raise


def _phase(client, params, phase):
    kubeadm(client, ["init", "phase", *phase, "--config", paths.KUBEADM_CONFIG], seconds=params["timeout"])
