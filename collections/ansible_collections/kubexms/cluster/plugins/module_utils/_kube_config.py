# SPDX-License-Identifier: GPL-3.0-or-later
"""kubeadm's configuration documents, made from the variable ``kubexms_kubeadm``. Pure.

Documents are dicts of kubeadm.k8s.io/v1beta4 and written as JSON, which is YAML. Both of kubeadm's own
addons are disabled in the configuration itself, so that its later commands leave ours alone too.
"""

from __future__ import annotations

import base64
import json

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths

ARGUMENTS = {
    "control_plane": {"type": "bool", "required": True},
    "node_name": {"type": "str", "required": True},
    "advertise_address": {"type": "str", "required": True},
    "endpoint": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "cluster_configuration": {"type": "dict", "required": True},
    "ignore_preflight": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 300},
    "ready_timeout": {"type": "int", "default": 300},
}

PATCHES = {"kube-apiserver+merge.json": {"spec": {"terminationGracePeriodSeconds": 10}}}
"""File name -> patch of a static Pod. An API server that is told to end stops listening at once, then waits
for watches that never end until it is killed: 10 s are enough for requests, kubeadm's 30 s are an outage.
"""

_API_VERSION = "kubeadm.k8s.io/v1beta4"
_BOOTSTRAP_TTL = "5m0s"  # kubeadm init insists on a token; joins use their own


def init_documents(params):
    """Return the documents of ``kubeadm init`` and its phases on a control-plane host."""
    initialization = {
        "apiVersion": _API_VERSION,
        "kind": "InitConfiguration",
        "bootstrapTokens": [{"ttl": _BOOTSTRAP_TTL}],
        "localAPIEndpoint": _local_endpoint(params),
        "nodeRegistration": _registration(params),
        "patches": {"directory": paths.PATCHES},
        "timeouts": _timeouts(params),
    }
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }
    return [initialization, cluster_document(params), kubelet]


def cluster_document(params):
    """Return the ClusterConfiguration."""
    document = dict(params["cluster_configuration"])
    document.update(
        apiVersion=_API_VERSION,
        kind="ClusterConfiguration",
        kubernetesVersion=params["version"],
        controlPlaneEndpoint=params["endpoint"],
        dns=dict(document.get("dns") or {}, disabled=True),
        proxy=dict(document.get("proxy") or {}, disabled=True),
    )
    return document


def upload_documents(params, certificate_key):
    """Return the documents of ``kubeadm init phase upload-certs`` with the key that encrypts them."""
    documents = init_documents(params)
    documents[0]["certificateKey"] = certificate_key
    return documents


def join_document(params, credentials, discovery_path):
    """Return the JoinConfiguration; the kubeconfig at ``discovery_path`` has the token."""
    document = {
        "apiVersion": _API_VERSION,
        "kind": "JoinConfiguration",
        "discovery": {"file": {"kubeConfigPath": discovery_path}},
        "nodeRegistration": _registration(params),
        "patches": {"directory": paths.PATCHES},
        "timeouts": _timeouts(params),
    }
    if params["control_plane"]:
        document["controlPlane"] = {
            "localAPIEndpoint": _local_endpoint(params),
            "certificateKey": credentials["certificate_key"],
        }
    return document


def discovery_document(endpoint, credentials):
    """Return a kubeconfig that trusts the cluster's CA and carries the token.

    With it a join need not wait until the controller manager has signed the cluster's own description
    with a token that was made a moment ago.
    """
    authority = base64.b64encode(credentials["ca_certificate"].encode("ascii")).decode("ascii")
    cluster = {"server": "https://" + endpoint, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "contexts": [{"name": "join", "context": {"cluster": "cluster", "user": "join"}}],
        "current-context": "join",
        "users": [{"name": "join", "user": {"token": credentials["token"]}}],
    }


def render(documents):
    """Return the text of a file that holds the documents."""
    return "---\n".join(json.dumps(document, indent=1, sort_keys=True) + "\n" for document in documents)


def _local_endpoint(params):
    return {"advertiseAddress": params["advertise_address"], "bindPort": paths.API_PORT}


def _registration(params):
    return {
        "name": params["node_name"],
        "criSocket": paths.CRI_SOCKET,
        "ignorePreflightErrors": list(params["ignore_preflight"]),
        "imagePullPolicy": "IfNotPresent",
    }


def _timeouts(params):
    """Let kubeadm's own waits last as long as ours: members that join at once wait for each other."""
    duration = "{0}s".format(params["timeout"])
    names = ("controlPlaneComponentHealthCheck", "kubeletHealthCheck", "etcdAPICall", "tlsBootstrap")
    return dict.fromkeys((*names, "discovery"), duration)
