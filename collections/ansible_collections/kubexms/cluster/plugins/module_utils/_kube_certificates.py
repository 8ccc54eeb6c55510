# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving certificates of the control plane that must name other hosts than before."""

from __future__ import annotations

import os
import ssl

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kubeadm import kubeadm

# setting -> (kubeadm's name of the certificate, its path below the PKI folder without suffix)
_NAMED_BY = {
    "kube-apiserver certSANs": ("apiserver", "apiserver"),
    "etcd serverCertSANs": ("etcd-server", "etcd/server"),
    "etcd peerCertSANs": ("etcd-peer", "etcd/peer"),
}


def renew_for(client, params, differences):
    """Make the certificates anew whose names changed; components load them without a restart."""
    for setting, (name, path) in _NAMED_BY.items():
        if differences.touches(setting):
            _renew(client, params, name, os.path.join(paths.PKI, path))


def _renew(client, params, name, path):
    """kubeadm keeps a certificate that exists, so the old one steps aside until the new one is there."""
    pair = [path + ".crt", path + ".key"]
    for one in pair:
        os.rename(one, one + ".old")
    try:
        kubeadm(client, ["init", "phase", "certs", name, "--config", paths.KUBEADM_CONFIG], params["timeout"])
    except StageError:
        for one in pair:
            os.rename(one + ".old", one)
        raise
    for one in pair:
        os.unlink(one + ".old")


def wait_until_served(client, params):
    """Wait until the API server of this host shows the certificate that is on disk."""
    wanted = ssl.PEM_cert_to_DER_cert(read_text(paths.APISERVER_CERTIFICATE))

    def served():
        try:
            found = ssl.get_server_certificate((params["advertise_address"], paths.API_PORT))
        except OSError:
            return False
        return ssl.PEM_cert_to_DER_cert(found) == wanted

    client.wait(served, params["timeout"], "serving the new certificate of the API server")
