# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose host this is: one small file that names the cluster, written before anything else."""

from __future__ import annotations

import json
import os

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    ForeignClusterError,
    PreflightError,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, remove, write_text

PATH = "/etc/kubexms/cluster.json"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"


def read_identity():
    """Return the identity (``name``, ``id``, ``fixed``) found on this host, or None."""
    text = read_text(PATH)
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise PreflightError(
            "{0} is no JSON: {1}".format(PATH, error),
            hint="find out what this host belongs to, then remove or correct the file",
        ) from error


def compare(client, params, differences):  # noqa: ARG001 - every part has this signature
    """Refuse a host of another cluster; record an identity that is missing or incomplete."""
    wanted, found = params["cluster"], read_identity()
    if found is None and os.path.exists(KUBELET_CONF):
        raise ForeignClusterError(
            "this host has {0} and is no host of ours: it runs in a Kubernetes cluster "
            "that was made otherwise".format(KUBELET_CONF),
            hint="reset it by the means that made it, or take it out of the inventory",
        )
    if found is not None and found.get("id") != wanted["id"]:
        raise ForeignClusterError(
            "this host belongs to cluster {0!r} (id {1}), not to {2!r} (id {3})".format(
                found.get("name"), found.get("id"), wanted["name"], wanted["id"]
            ),
            hint="reset it with that cluster's inventory first",
        )
    if found != _content(wanted):
        differences.add(PATH, _shown(found), _shown(wanted))


def note(params, differences, record):
    """Nothing of this part was there before."""


def apply(client, params, differences, record):  # noqa: ARG001
    """Write the identity."""
    if differences.has(PATH):
        text = json.dumps(_content(params["cluster"]), indent=1, sort_keys=True)
        write_text(PATH, text + "\n")


def revert(client, record):  # noqa: ARG001
    """Leave the cluster."""
    remove(PATH)


def _content(cluster):
    return {"name": cluster["name"], "id": cluster["id"], "fixed": cluster.get("fixed") or {}}


def _shown(identity):
    if identity is None:
        return ""
    fixed = identity.get("fixed") or {}
    return "{0} (id {1}, {2} fixed settings)".format(identity.get("name"), identity.get("id"), len(fixed))
