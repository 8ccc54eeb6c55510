# SPDX-License-Identifier: GPL-3.0-or-later
"""Components of the control plane on this host: what their manifests say, what runs, whether it is healthy.

Processes and health endpoints are looked at, not Pods in the API: those follow up to 30 s later, and the
API is one of the components.
"""

from __future__ import annotations

import glob
import os
import re
import ssl

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    DeadlineError,
    StageError,
    UnhealthyError,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import Api, admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_etcd import etcd_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_processes import processes

_PORTS = {"kube-controller-manager": "10257", "kube-scheduler": "10259"}
_EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - none of these is bound here


def same_pod(before, after):
    """Return whether two manifests differ in nothing but comments and empty lines. Pure."""
    return _substance(before) == _substance(after)


def _substance(text):
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def flags(manifest):
    """Return the flags that a manifest of kubeadm starts its component with. Pure."""
    return re.findall(r"^ +- (--\S.*)$", manifest, re.MULTILINE)


def wait_until_replaced(client, component, params, before):
    """Wait until a process that is not in ``before`` runs with the manifest's flags and is healthy."""
    wanted = set(flags(read_text(paths.manifest(component))))
    last = {}

    def replaced():
        started = [
            arguments
            for pid, arguments in processes(component).items()
            if pid not in before and wanted <= set(arguments)
        ]
        last["reason"] = _unhealthy(component, started[0]) if started else "the kubelet has not started it"
        return not last["reason"]

    try:
        client.wait(replaced, params["timeout"], component, interval=0.5)
    except DeadlineError as error:
        raise UnhealthyError(
            "{0} does not get healthy with its new settings within {1} s: {2}".format(
                component, params["timeout"], last["reason"]
            ),
            hint="its former manifest is back; correct the setting",
            tail=_log(component, params["node_name"]),
            retriable=False,
        ) from error


def _unhealthy(component, arguments):
    """Return why a component is not healthy, an empty text when it is."""
    try:
        if component == "kube-apiserver":
            admin_api().get("/readyz")
        elif component == "etcd":
            etcd_api().get("/health")
        else:
            _local_api(component, arguments).get("/healthz")
    except StageError as error:
        return error.message
    return ""


def _local_api(component, arguments):
    """Return the health endpoint of a component; it serves a certificate that it made for itself."""
    given = dict(argument[2:].split("=", 1) for argument in arguments if "=" in argument)
    address = given.get("bind-address", "")
    host = "127.0.0.1" if address in _EVERY_ADDRESS else address
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return Api("https://{0}:{1}".format(host, given.get("secure-port", _PORTS[component])), context, 5)


def _log(component, node):
    """Return the last lines of the Pod's last container; the kubelet puts time and stream before each."""
    pattern = "{0}/kube-system_{1}-{2}_*/{1}/*.log".format(paths.POD_LOGS, component, node)
    logs = sorted(glob.glob(pattern), key=os.path.getmtime)
    lines = (read_text(logs[-1]) or "").splitlines()[-20:] if logs else []
    return [line.split(" ", 3)[-1] for line in lines]
