# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``addons``: flannel, kube-proxy and CoreDNS, by server-side apply over the API itself.

What was applied is kept in the cluster, in the ConfigMap ``kube-system/kubexms-addons``: addon -> JSON of
``settings`` (flat, to say what differs), ``digest`` of the objects, and ``objects`` (API path -> revision),
by which an object that someone edited or removed is seen, and one that is no longer wanted is removed.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons_coredns as coredns
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons_flannel as flannel
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons_kube_proxy as kube_proxy
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DeadlineError
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import (
    APPLY_PATCH,
    ApiError,
    admin_api,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_objects import (
    api_path,
    config_map,
    digest,
    revision,
)

ARGUMENTS = {
    "network": {
        "type": "dict",
        "options": {
            "plugin": {"type": "str", "choices": ["flannel", "none"], "default": "flannel"},
            "pod_cidr": {"type": "str", "required": True},
            "backend": {"type": "str", "choices": ["vxlan", "host-gw"], "default": "vxlan"},
            "backend_port": {"type": "int"},
            "image": {"type": "str"},
            "cni_image": {"type": "str"},
        },
        "required_if": [("plugin", "flannel", ("image",))],
    },
    "kube_proxy": {
        "type": "dict",
        "options": {
            "mode": {"type": "str", "choices": ["nftables", "iptables"], "default": "nftables"},
            "pod_cidr": {"type": "str"},
            "endpoint": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
            "configuration": {"type": "dict", "default": {}},
        },
    },
    "dns": {
        "type": "dict",
        "options": {
            "service_address": {"type": "str", "required": True},
            "domain": {"type": "str", "default": "cluster.local"},
            "image": {"type": "str", "required": True},
            "replicas": {"type": "int", "default": 2},
            "cache_seconds": {"type": "int", "default": 30},
        },
    },
    "timeout": {"type": "int", "default": 60},
}

NAMESPACE, NAME = "kube-system", "kubexms-addons"
_MANAGER = "?fieldManager=kubexms&force=true"


def wanted_addons(params):
    """Return addon -> (settings, objects) for every addon that is wanted."""
    addons = {}
    proxy, network, dns = params["kube_proxy"], params["network"], params["dns"]
    if proxy:
        addons["kube-proxy"] = (proxy, kube_proxy.objects(proxy))
    if network and network["plugin"] == "flannel":
        addons["flannel"] = (network, flannel.objects(network, proxy))
    if dns:
        addons["coredns"] = (dns, coredns.objects(dns))
    return addons


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return which addons differ from what was applied, were edited since, or are no longer wanted."""
    differences = Differences()
    wanted = wanted_addons(params)
    if not membership.control_plane():
        for name in wanted:
            differences.add("addon " + name, "", "applied")
        return differences
    api = admin_api()
    entries = recorded(api)
    for name, (settings, objects) in wanted.items():
        _compare_addon(differences, api, name, entries.get(name), settings, objects)
    for name in sorted(set(entries) - set(wanted)):
        differences.add("addon " + name, "applied", "")
    return differences


def _compare_addon(differences, api, name, entry, settings, objects):
    path = "addon " + name
    if entry is None:
        differences.add(path, "", "applied")
        return
    found, after = entry["settings"], _flat(settings)
    changed = [
        differences.compare("{0} {1}".format(path, key), found.get(key), after.get(key))
        for key in sorted(set(found) | set(after))
    ]
    if not any(changed):
        differences.compare(path + " objects", entry["digest"][:12], digest(objects)[:12])
    for address, known in entry["objects"].items():
        if known:
            _compare_object(differences, api, path, address, known)


def _compare_object(differences, api, path, address, known):
    existing = api.get(address)
    if existing is None:
        differences.add("{0} {1}".format(path, address), "", "present")
    elif revision(existing) != known:
        differences.add("{0} {1}".format(path, address), "edited", "as applied")


def apply(client, params, differences):
    """Apply the addons that differ, remove objects that are not wanted any more, record both."""
    api = admin_api()
    before = recorded(api)
    wanted = wanted_addons(params)
    entries = {}
    for name, (settings, objects) in wanted.items():
        if differences.touches("addon " + name):
            entries[name] = _apply_addon(client, api, settings, objects, params["timeout"])
        else:
            entries[name] = before[name]
    keep = {address for entry in entries.values() for address in entry["objects"]}
    for entry in before.values():
        for address in reversed(list(entry["objects"])):
            if address not in keep:
                api.delete(address)
    data = {name: json.dumps(entry) for name, entry in entries.items()}
    _send(client, api, config_map(NAMESPACE, NAME, data), params["timeout"])
    return {}


def _apply_addon(client, api, settings, objects, seconds):
    applied = [(api_path(one), revision(_send(client, api, one, seconds))) for one in objects]
    return {"settings": _flat(settings), "digest": digest(objects), "objects": dict(applied)}


def _send(client, api, item, seconds):
    """Apply one object; an API server that was started a moment ago may still refuse some."""
    failures = []

    def sent():
        try:
            return api.request("PATCH", quote(api_path(item)) + _MANAGER, item, APPLY_PATCH)
        except ApiError as error:
            if not error.retriable:
                raise
            failures[:] = [error]
            return None

    try:
        return client.wait(sent, seconds, "applying " + api_path(item))
    except DeadlineError as error:
        raise failures[-1] from error


def recorded(api):
    """Return addon -> entry as written by the last apply."""
    found = api.get("/api/v1/namespaces/{0}/configmaps/{1}".format(NAMESPACE, NAME))
    return {name: json.loads(text) for name, text in (found or {}).get("data", {}).items()}


def _flat(settings):
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
