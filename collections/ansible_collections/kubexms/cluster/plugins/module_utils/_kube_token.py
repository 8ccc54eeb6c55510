# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts need to join: made on a control-plane host, short-lived, only where a host needs it."""

from __future__ import annotations

import os
import secrets
import string
import time

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_etcd as etcd
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, remove
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import unready
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm, write_config

ARGUMENTS = dict(
    config.ARGUMENTS,
    nodes={"type": "list", "elements": "str", "required": True},
    control_planes={"type": "list", "elements": "str", "default": []},
)

TTL_SECONDS = 1800
LABELS = {"app.kubernetes.io/managed-by": "kubexms"}
_ALPHABET = string.ascii_lowercase + string.digits
_SECRETS = "/api/v1/namespaces/kube-system/secrets"
_OURS = _SECRETS + "?labelSelector=" + "%3D".join(*LABELS.items())
_CERTIFICATES = _SECRETS + "/kubeadm-certs"


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return a difference for each of ``nodes`` that is not a Ready node of the cluster."""
    differences = Differences()
    for name in _absent(admin_api(), params["nodes"]):
        differences.add("join of " + name, "", "possible for {0} s".format(TTL_SECONDS))
    return differences


def apply(client, params, differences):  # noqa: ARG001 - every stage has this signature
    """Return ``credentials``: token, CA certificate, etcd's addresses and, for control planes, a key."""
    api = admin_api()
    token = "{0}.{1}".format(_random(6), _random(16))
    api.request("POST", _SECRETS, token_secret(token, time.time() + TTL_SECONDS))
    credentials = {"token": token, "ca_certificate": read_text(paths.CA_CERTIFICATE)}
    if set(_absent(api, params["nodes"])) & set(params["control_planes"]):
        credentials["certificate_key"] = _upload_certificates(client, params)
        credentials["etcd_servers"] = [
            url
            for member in etcd.members(etcd.etcd_api())
            if not member.learner
            for url in member.client_urls
        ]
    return {"credentials": credentials}


def are_valid(api):
    """Return whether credentials that were made here have not been taken back or expired."""
    tokens = api.get(_OURS)["items"]
    return bool(tokens) or api.get(_CERTIFICATES) is not None


def withdraw(api):
    """Take back every token made here and the encrypted certificates, before they expire."""
    api.delete(_OURS)
    api.delete(_CERTIFICATES)


def token_secret(token, expiration):
    """Return the Secret of a bootstrap token; ``expiration`` is a Unix time.

    Source: kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens.
    """
    identity, secret = token.split(".")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "bootstrap-token-" + identity, "namespace": "kube-system", "labels": LABELS},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "description": "made by kubexms for hosts that join now",
            "token-id": identity,
            "token-secret": secret,
            "expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expiration)),
            "usage-bootstrap-authentication": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }


def _absent(api, names):
    return [name for name in names if unready(api.get("/api/v1/nodes/" + name))]


def _random(length):
    return "".join(secrets.choice(_ALPHABET) for _position in range(length))


def _upload_certificates(client, params):
    """Store the control plane's certificates in the cluster, encrypted by a new key; return the key."""
    key = secrets.token_hex(32)
    path = os.path.join(paths.RUN, "upload-certs.yaml")
    write_config(path, config.upload_documents(params, key))
    words = ["init", "phase", "upload-certs", "--upload-certs", "--skip-certificate-key-print"]
    try:
        kubeadm(client, [*words, "--config", path], seconds=params["timeout"])
    finally:
        remove(path)
    return key
