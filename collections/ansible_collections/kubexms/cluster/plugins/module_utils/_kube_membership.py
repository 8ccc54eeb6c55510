# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this host is part of a cluster: by kubeadm's files and by our record of init and join.

The record's stage ``kubeadm`` holds ``state`` (``started`` while kubeadm works, ``done`` after it),
``inputs`` (the settings the control plane was made from) and ``manifests`` (component -> digest).
"""

from __future__ import annotations

import contextlib
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    PreflightError,
    StageError,
    UnhealthyError,
)
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
    entry = record.stage(RECORD)
    state = entry.get("state")
    if state == "started":
        return HALF
    if state == "done":
        _refuse_other_role(control_plane, "inputs" in entry)
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


def _refuse_other_role(wanted, found):
    if wanted != found:
        raise StageError(
            "this host joined as a {0}".format("control plane" if found else "worker"),
            code="not-supported",
            hint="remove it from the cluster, reset it and deploy again to change its role",
        )


def _files(control_plane):
    files = [paths.KUBELET_CONF, paths.KUBELET_CONFIG]
    if control_plane:
        files += [paths.ADMIN_CONF, *(paths.manifest(name) for name in paths.CONTROL_PLANE)]
    return files


def _missing(control_plane):
    return [path for path in _files(control_plane) if not os.path.exists(path)]


@contextlib.contextmanager
def attempt():
    """Record that kubeadm changes this host, for a later call to know if it is cut off or fails.

    A host that kubeadm refused before it changed anything is as it was before.
    """
    _set_state("started")
    try:
        yield
    except PreflightError:
        _set_state(None)
        raise


def _set_state(state):
    record = Record()
    record.stage(RECORD)["state"] = state
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
