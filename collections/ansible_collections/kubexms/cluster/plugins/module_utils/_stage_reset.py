# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``reset``: the host leaves the cluster and is as it was before the project touched it.

A host that carries neither our identity nor our record is not ours, and nothing on it is touched. The
record goes last, so that a reset that was cut off goes on where it was. The rest of the cluster is not
told: this is for taking down a whole cluster, or a host that never became a member.
"""

from __future__ import annotations

import glob
import os

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils import _record
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_files as files
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host as host
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_kubelet as kubelet
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_reset_network as network
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_runtime as runtime
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import ForeignClusterError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import remove
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm, wait_until_alone
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_host_identity import read_identity
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_runtime_revert import remove_folder

ARGUMENTS = {
    "cluster": {
        "type": "dict",
        "options": {"name": {"type": "str"}, "id": {"type": "str", "required": True}},
    },
}

# Made by kubelet, kubeadm and Pods; removed whole.
FOLDERS = (
    "/var/lib/kubelet",
    "/var/lib/etcd",
    "/etc/kubernetes",
    "/var/lib/cni/networks/cbr0",
    "/var/lib/cni/flannel",
    "/run/flannel",
    "/var/log/pods",
    "/var/log/containers",
    "/usr/libexec/kubernetes",
)
FILES = (
    "/etc/cni/net.d/10-flannel.conflist",
    "/var/lib/cni/cache/results/cbr0-*",
    "/var/lib/cni/results/cbr0-*",
)
# Shared with others; removed when nothing is left in them.
SHARED = (
    "/etc/cni/net.d",
    "/etc/cni",
    "/opt/cni/bin",
    "/opt/cni",
    "/var/lib/cni/cache/results",
    "/var/lib/cni/cache",
    "/var/lib/cni/results",
    "/var/lib/cni/networks",
    "/var/lib/cni",
    "/run/netns",
    "/lib/modules",  # made for kube-proxy on hosts whose kernel has no modules
)
OWN = ("/etc/kubexms", "/var/lib/kubexms")

_STAGES = {"kubelet": kubelet, "runtime": runtime, "files": files, "host": host}
_SECONDS = 180


def compare(client, params):
    """Return what is there to remove or to put back; nothing on a host that is not ours."""
    differences = Differences()
    identity, record = read_identity(), _record.Record()
    _refuse_foreign(identity, params["cluster"])
    if identity is None and not os.path.exists(_record.PATH):
        return differences
    for path in [*FOLDERS, *_own_files(), *OWN]:
        if _holds_something(path):
            differences.add(path, "present", "")
    for name in network.present(client):
        differences.add(name, "present", "")
    for stage in _STAGES:
        for path in record.kept_files(stage):
            differences.add(path, "written", "as before")
        for key in record.prior(stage):
            differences.add("{0} {1}".format(stage, key), "changed", "as before")
    return differences


def apply(client, params, differences):  # noqa: ARG001 - every stage has this signature
    """End Kubernetes on this host, then take back what each stage did, the last first."""
    record = _record.Record()
    _leave(client, record)
    network.clean(client)
    for folder in FOLDERS:
        remove_folder(client, folder)
    for path in _own_files():
        remove(path)
    for stage in _STAGES.values():
        stage.revert(client, record)
        record.save()
    for folder in SHARED:
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
    for folder in (*OWN, paths.RUN):
        remove_folder(client, folder)
    return {}


def _refuse_foreign(identity, cluster):
    if identity and cluster and identity.get("id") != cluster["id"]:
        raise ForeignClusterError(
            "this host belongs to cluster {0!r} (id {1})".format(identity.get("name"), identity.get("id")),
            hint="reset it with that cluster's inventory",
        )


def _own_files():
    return [path for pattern in FILES for path in glob.glob(pattern)]


def _holds_something(path):
    """Return whether a file exists, or a folder does that is not an empty mount point."""
    return os.path.exists(path) and not (os.path.ismount(path) and not os.listdir(path))


def _leave(client, record):
    """Stop the kubelet, end its containers and let the CNI plugins clean up after them.

    kubeadm finds no credentials, so that it does not ask a cluster that may be gone already.
    """
    wait_until_alone(client, _SECONDS)
    client.run(["systemctl", "disable", "--now", kubelet.UNIT], check=False, seconds=_SECONDS)
    remove(paths.ADMIN_CONF)
    if client.which("kubeadm"):
        words = ["--force", "--cri-socket", paths.CRI_SOCKET, "--skip-phases", "preflight,remove-etcd-member"]
        kubeadm(client, ["reset", *words], seconds=_SECONDS)
    kubelet.unmount(client, record)
    client.run(["systemctl", "stop", "kubepods.slice"], check=False, seconds=_SECONDS)
