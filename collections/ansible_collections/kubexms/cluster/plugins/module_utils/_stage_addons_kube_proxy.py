# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-proxy's objects. Pure.

Source: kubeadm's app/phases/addons/proxy. Other than there: a change of the configuration rolls out,
because its digest is an annotation of the Pods.
"""

from __future__ import annotations

import json

from ansible_collections.kubexms.cluster.plugins.module_utils._kube_objects import (
    cluster_role_binding,
    config_map,
    digest,
    field_variable,
    host_volume,
    item,
    service_account,
)

_NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-proxy"}
_FOLDER = "/var/lib/kube-proxy"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def objects(proxy):
    """Return kube-proxy's objects for the parameter ``kube_proxy``, in the order to create them."""
    configuration = {
        "config.conf": _text(_configuration(proxy)),
        "kubeconfig.conf": _text(_kubeconfig(proxy)),
    }
    return [
        service_account(_NAMESPACE, "kube-proxy"),
        cluster_role_binding("kubeadm:node-proxier", "system:node-proxier", _NAMESPACE, "kube-proxy"),
        config_map(_NAMESPACE, "kube-proxy", configuration, {"app": "kube-proxy"}),
        _daemon_set(proxy, configuration),
    ]


def _text(document):
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _configuration(proxy):
    document = {
        "clientConnection": {"kubeconfig": _FOLDER + "/kubeconfig.conf"},
        "clusterCIDR": proxy["pod_cidr"],
        "mode": proxy["mode"],
    }
    document.update(proxy["configuration"])
    document.update(apiVersion="kubeproxy.config.k8s.io/v1alpha1", kind="KubeProxyConfiguration")
    return document


def _kubeconfig(proxy):
    cluster = {"certificate-authority": _ACCOUNT + "/ca.crt", "server": "https://" + proxy["endpoint"]}
    context = {"cluster": "default", "namespace": "default", "user": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default", "cluster": cluster}],
        "contexts": [{"name": "default", "context": context}],
        "current-context": "default",
        "users": [{"name": "default", "user": {"tokenFile": _ACCOUNT + "/token"}}],
    }


def _daemon_set(proxy, configuration):
    template = {
        "metadata": {"labels": _LABELS, "annotations": {"kubexms.io/config-digest": digest(configuration)}},
        "spec": {
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "serviceAccountName": "kube-proxy",
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"operator": "Exists"}],
            "containers": [_container(proxy)],
            "volumes": [
                {"name": "kube-proxy", "configMap": {"name": "kube-proxy"}},
                host_volume("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
                host_volume("lib-modules", "/lib/modules"),
            ],
        },
    }
    spec = {
        "selector": {"matchLabels": _LABELS},
        "updateStrategy": {"type": "RollingUpdate"},
        "template": template,
    }
    labels = dict(_LABELS, **{"app.kubernetes.io/version": proxy["version"]})
    return item("apps/v1", "DaemonSet", "kube-proxy", _NAMESPACE, labels, spec=spec)


def _container(proxy):
    return {
        "name": "kube-proxy",
        "image": proxy["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy",
            "--config={0}/config.conf".format(_FOLDER),
            "--hostname-override=$(NODE_NAME)",
        ],
        "securityContext": {"privileged": True},
        "env": [field_variable("NODE_NAME", "spec.nodeName")],
        "volumeMounts": [
            {"name": "kube-proxy", "mountPath": _FOLDER},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
            {"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": True},
        ],
    }
