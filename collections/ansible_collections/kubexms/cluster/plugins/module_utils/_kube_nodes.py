# SPDX-License-Identifier: GPL-3.0-or-later
"""What Node objects say about readiness. Pure, but for the wait at the end."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DeadlineError, UnhealthyError
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import ApiError

_HINT = "read the kubelet's log on that host with journalctl -u kubelet, and see kubectl get pods -A -o wide"


def unready(node):
    """Return why a Node is not Ready, an empty text when it is; None is a Node that does not exist."""
    if node is None:
        return "no such node in the cluster"
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            if condition["status"] == "True":
                return ""
            return condition.get("message") or condition.get("reason") or condition["status"]
    return "the kubelet has not reported yet"


def wait_until_empty(client, problems, seconds):
    """Call ``problems`` (returns name -> reason) until it returns nothing; an API error is one more reason.

    Raises UnhealthyError with all the reasons of the last call after ``seconds``.
    """
    last = {}

    def none_left():
        last.clear()
        try:
            last.update(problems())
        except ApiError as error:
            last["API server"] = error.message
        return not last

    try:
        client.wait(none_left, seconds, "readiness", interval=0.5)
    except DeadlineError as error:
        reasons = "; ".join("{0}: {1}".format(*item) for item in sorted(last.items()))
        raise UnhealthyError(
            "not ready after {0} s: {1}".format(int(seconds), reasons), hint=_HINT
        ) from error
