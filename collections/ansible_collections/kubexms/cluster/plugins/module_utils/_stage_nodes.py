# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``nodes``: labels, annotations and taints of all nodes, and the wait until they are Ready.

The keys that were set here are remembered in an annotation of each Node, so that one that is no longer
wanted is taken away, while labels and taints of others stay.
"""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_node_settings as settings
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_token as token
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons as addons
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons_coredns as coredns
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import MERGE_PATCH, admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import unready, wait_until_empty

ARGUMENTS = {
    "nodes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "labels": {"type": "dict", "default": {}},
            "annotations": {"type": "dict", "default": {}},
            "taints": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "key": {"type": "str", "required": True, "no_log": False},
                    "value": {"type": "str", "default": ""},
                    "effect": {
                        "type": "str",
                        "required": True,
                        "choices": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
                    },
                },
            },
        },
    },
    "leave_out": {"type": "list", "elements": "str", "default": []},
    "ready_timeout": {"type": "int", "default": 300},
}

_NODES = "/api/v1/nodes"
_DNS = "/apis/apps/v1/namespaces/{0}/deployments/{1}".format(coredns.NAMESPACE, coredns.NAME)


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return which settings of nodes differ, who is not ready, and whether credentials are still valid."""
    differences = Differences()
    api = admin_api() if membership.control_plane() else None
    found = _found(api) if api else {}
    for node in _listed(params):
        for change in settings.changes(found.get(node["name"]), node):
            path = "node {0} {1}".format(node["name"], change.setting)
            differences.add(path, _shown(change.before), _shown(change.after))
    for name, reason in _problems(api, found, params).items():
        differences.add(name + " ready", "false: " + reason, "true")
    if api and token.are_valid(api):
        differences.add("credentials of joins", "valid", "taken back")
    return differences


def apply(client, params, differences):  # noqa: ARG001 - every stage has this signature
    """Set what differs and wait until all nodes are Ready and cluster DNS answers."""
    api = admin_api()

    def problems():
        found = _found(api)
        for node in _listed(params):
            existing = found.get(node["name"])
            if existing and settings.changes(existing, node):
                path = "{0}/{1}".format(_NODES, node["name"])
                api.request("PATCH", path, settings.patch(existing, node), MERGE_PATCH)
        return _problems(api, found, params)

    wait_until_empty(client, problems, params["ready_timeout"])
    token.withdraw(api)
    return {}


def _listed(params):
    return [node for node in params["nodes"] if node["name"] not in params["leave_out"]]


def _shown(value):
    """Return a value as text that tells an empty one from one that is not there."""
    return '""' if value == "" else value


def _found(api):
    return {node["metadata"]["name"]: node for node in api.get(_NODES)["items"]}


def _problems(api, found, params):
    """Return what is not ready -> why; ``api`` is None on a host that is no control plane."""
    reasons = {"node " + node["name"]: unready(found.get(node["name"])) for node in _listed(params)}
    if api and "coredns" in addons.recorded(api):
        reasons["cluster DNS"] = _dns_problem(api.get(_DNS))
    return {name: reason for name, reason in reasons.items() if reason}


def _dns_problem(deployment):
    available = ((deployment or {}).get("status") or {}).get("availableReplicas", 0)
    return "" if available else "no replica of CoreDNS is available"
