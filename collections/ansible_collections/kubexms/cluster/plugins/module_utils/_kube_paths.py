# SPDX-License-Identifier: GPL-3.0-or-later
"""Where kubeadm and kubelet keep things on a host, and the addresses that kubeadm gives to components.

Use it as a module (``paths.ADMIN_CONF``), never by importing single names: tests move the paths.
Source: kubeadm's app/constants/constants.go.
"""

from __future__ import annotations

KUBERNETES = "/etc/kubernetes"
MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki"
CA_CERTIFICATE = "/etc/kubernetes/pki/ca.crt"
APISERVER_CERTIFICATE = "/etc/kubernetes/pki/apiserver.crt"
APISERVER_KEY = "/etc/kubernetes/pki/apiserver.key"
ETCD_CA = "/etc/kubernetes/pki/etcd/ca.crt"
ETCD_CLIENT_CERTIFICATE = "/etc/kubernetes/pki/etcd/healthcheck-client.crt"
ETCD_CLIENT_KEY = "/etc/kubernetes/pki/etcd/healthcheck-client.key"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
CONTROLLER_CONF = "/etc/kubernetes/controller-manager.conf"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"
KUBELET_FOLDER = "/var/lib/kubelet"
KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"
ETCD_DATA = "/var/lib/etcd"

KUBELET_BINARY = "/usr/local/bin/kubelet"
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"
KUBELET_DROP_IN = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
KUBELET_DROP_IN_CONFIG = "/etc/kubernetes/kubelet.conf.d/50-kubexms.conf"
KUBELET_DEFAULTS = "/etc/default/kubelet"

KUBEADM_CONFIG = "/etc/kubexms/kubeadm.yaml"
PATCHES = "/etc/kubexms/patches"
RUN = "/run/kubexms"
POD_LOGS = "/var/log/pods"

CRI_SOCKET = "unix:///run/containerd/containerd.sock"
API_PORT = 6443
KUBELET_HEALTH_PORT = 10248
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def manifest(component):
    """Return the path of a static Pod's manifest."""
    return "{0}/{1}.yaml".format(MANIFESTS, component)
