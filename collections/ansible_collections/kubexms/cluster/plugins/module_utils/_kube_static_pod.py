# SPDX-License-Identifier: GPL-3.0-or-later
"""Static Pods of the control plane as the API shows them: which manifest they run, whether they are ready."""

from __future__ import annotations

import glob
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DeadlineError, UnhealthyError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import ApiError

_HASH = "kubernetes.io/config.hash"


def same_pod(before, after):
    """Return whether two manifests differ in nothing but comments and empty lines. Pure."""
    return _substance(before) == _substance(after)


def _substance(text):
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def static_pod_hash(api, component, node):
    """Return the hash of the manifest that the Pod was made from, empty where there is no Pod."""
    return _hash(_pod(api, component, node))


def wait_until_replaced(client, api, component, params, hash_before):
    """Wait until the Pod is ready with another manifest than the one of ``hash_before``.

    The API server is asked on this host, so that its own answer says that it is back.
    """
    last = {}

    def replaced():
        try:
            pod = _pod(api, component, params["node_name"])
        except ApiError as error:
            last["reason"] = error.message
            return False
        if _hash(pod) in ("", hash_before):
            last["reason"] = "the kubelet has not replaced it"
            return False
        last["reason"] = _unready(pod)
        return not last["reason"]

    try:
        client.wait(replaced, params["timeout"], component, interval=0.5)
    except DeadlineError as error:
        raise UnhealthyError(
            "{0} does not get ready with its new settings within {1} s: {2}".format(
                component, params["timeout"], last["reason"]
            ),
            hint="its former manifest is back; correct the setting",
            tail=_log(component, params["node_name"]),
            retriable=False,
        ) from error


def _log(component, node):
    """Return the last lines of the Pod's last container; the kubelet puts time and stream before each."""
    pattern = "{0}/kube-system_{1}-{2}_*/{1}/*.log".format(paths.POD_LOGS, component, node)
    logs = sorted(glob.glob(pattern), key=os.path.getmtime)
    lines = (read_text(logs[-1]) or "").splitlines()[-20:] if logs else []
    return [line.split(" ", 3)[-1] for line in lines]


def _pod(api, component, node):
    return api.get("/api/v1/namespaces/kube-system/pods/{0}-{1}".format(component, node))


def _hash(pod):
    return ((pod or {}).get("metadata", {}).get("annotations") or {}).get(_HASH, "")


def _unready(pod):
    """Return why a Pod is not ready, an empty text when it is. Pure."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        for state in (status.get("state") or {}).values():
            if not status.get("ready"):
                return state.get("message") or state.get("reason") or "its container is not ready yet"
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return "" if ready else "its Pod is not ready yet"
