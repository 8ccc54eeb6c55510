# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this host is part of a cluster: by kubeadm's files and by our record of init and join.

The record's stage ``kubeadm`` holds ``state`` (``started`` while kubeadm works, ``done`` after it),
``inputs`` (the settings the control plane was made from) and ``manifests`` (component -> digest).
"""

from __future__ import annotations

import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import PreflightError, UnhealthyError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, text_digest
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

RECORD = "kubeadm"
NONE, HALF, JOINED = "none", "half", "joined"


def joined():
    """Return whether the host's kubelet has an identity and a configuration."""
    return os.path.exists(paths.KUBELET_CONF) and os.path.exists(paths.KUBELET_CONFIG)


def control_plane():
    """Return whether the host runs a control plane made by kubeadm."""
    return joined() and not _missing(control_plane=True)


def membership(record, control_plane=False):
    """Return NONE, HALF (kubeadm was cut off or failed) or JOINED for the role the host is to have.

    Raises PreflightError for leftovers that are not ours and UnhealthyError for a member that lost files.
    """
    state = record.stage(RECORD).get("state")
    if state == "started":
        return HALF
    missing = _missing(control_plane)
    if not missing:
        return JOINED
    if state == "done":
        raise UnhealthyError(
            "this host joined the cluster, but {0} is missing".format(missing[0]),
            hint="restore the file, or reset this host and deploy again",
            retriable=False,
        )
    leftovers = [path for path in _files(control_plane=True) if os.path.exists(path)]
    if leftovers:
        raise PreflightError(
            "{0} was left by something else".format(leftovers[0]),
            hint="run kubexms reset for this host if nothing on it is needed",
        )
    return NONE


def _files(control_plane):
    files = [paths.KUBELET_CONF, paths.KUBELET_CONFIG]
    if control_plane:
        files += [paths.ADMIN_CONF, *(paths.manifest(name) for name in paths.CONTROL_PLANE)]
    return files


def _missing(control_plane):
    return [path for path in _files(control_plane) if not os.path.exists(path)]


def begin():
    """Record that kubeadm starts to change this host."""
    record = Record()
    record.stage(RECORD).update(state="started")
    record.save()


def finish(inputs=None):
    """Record that kubeadm is through; ``inputs`` are a control plane's settings, None on a worker."""
    record = Record()
    entry = record.stage(RECORD)
    entry["state"] = "done"
    if inputs is not None:
        entry.update(inputs=inputs, manifests=manifest_digests())
    record.save()


def manifest_digests():
    """Return component -> digest of its static Pod's manifest, empty where there is none."""
    return {name: text_digest(read_text(paths.manifest(name))) for name in paths.CONTROL_PLANE}
