# SPDX-License-Identifier: GPL-3.0-or-later
"""flannel's objects. Pure.

Source: flannel v0.28 Documentation/kube-flannel.yml. Other than there: flannel uses the interface that
holds the node's address, not the one of the default route; it talks to the cluster's endpoint, not to the
Service that kube-proxy has yet to set up; the CNI plugin comes with the host's files unless ``cni_image``
is given, so the CNI version is one that old plugins speak too; the CNI configuration is installed when the
network works; a changed configuration rolls out.
"""

from __future__ import annotations

import json

from ansible_collections.kubexms.cluster.plugins.module_utils._kube_objects import (
    cluster_role,
    cluster_role_binding,
    config_map,
    digest,
    field_variable,
    host_volume,
    item,
    service_account,
)

_NAMESPACE = "kube-flannel"
_LABELS = {"k8s-app": "flannel"}
_POD_LABELS = {"app": "flannel", "tier": "node"}
_HEALTH_PORT = 8081

_CNI = {
    "name": "cbr0",
    "cniVersion": "0.3.1",
    "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}

# Runs in flannel's container: a node is to become Ready, and Pods to come to it, when flannel knows the
# node's network and not before. Where they came before, their first sandbox failed and cost 12 s.
_INSTALL_CNI = """\
until [ -f /run/flannel/subnet.env ]; do sleep 0.1; done
cp -f /etc/kube-flannel/cni-conf.json /etc/cni/net.d/.10-flannel.new
mv -f /etc/cni/net.d/.10-flannel.new /etc/cni/net.d/10-flannel.conflist
"""

_RULES = [
    ("", ["pods"], ["get"]),
    ("", ["nodes"], ["get", "list", "watch"]),
    ("", ["nodes/status"], ["patch"]),
]


def objects(network, proxy):
    """Return flannel's objects for the parameters ``network`` and ``kube_proxy`` (None without one).

    Beside a kube-proxy that makes its rules with nftables, flannel does so too.
    """
    nftables = bool(proxy) and proxy["mode"] == "nftables"
    configuration = {"cni-conf.json": _text(_CNI), "net-conf.json": _text(_net_conf(network, nftables))}
    enforce = {"pod-security.kubernetes.io/enforce": "privileged"}
    return [
        item("v1", "Namespace", _NAMESPACE, labels=dict(_LABELS, **enforce)),
        service_account(_NAMESPACE, "flannel", _LABELS),
        cluster_role("flannel", _RULES, _LABELS),
        cluster_role_binding("flannel", "flannel", _NAMESPACE, "flannel", _LABELS),
        config_map(_NAMESPACE, "kube-flannel-cfg", configuration, _LABELS),
        _daemon_set(network, proxy, configuration),
    ]


def _text(document):
    return json.dumps(document, indent=2) + "\n"


def _net_conf(network, nftables):
    backend = {"Type": network["backend"]}
    if network["backend"] == "vxlan" and network["backend_port"]:
        backend["Port"] = network["backend_port"]
    return {"Network": network["pod_cidr"], "EnableNFTables": nftables, "Backend": backend}


def _daemon_set(network, proxy, configuration):
    template = {
        "metadata": {
            "labels": _POD_LABELS,
            "annotations": {"kubexms.io/config-digest": digest(configuration)},
        },
        "spec": {
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "serviceAccountName": "flannel",
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
            "initContainers": _init_containers(network),
            "containers": [_container(network, proxy)],
            "volumes": _volumes(network),
        },
    }
    spec = {"selector": {"matchLabels": {"app": "flannel"}}, "template": template}
    return item(
        "apps/v1", "DaemonSet", "kube-flannel-ds", _NAMESPACE, dict(_LABELS, **_POD_LABELS), spec=spec
    )


def _init_containers(network):
    if not network["cni_image"]:
        return []
    return [
        {
            "name": "install-cni-plugin",
            "image": network["cni_image"],
            "command": ["cp"],
            "args": ["-f", "/flannel", "/opt/cni/bin/flannel"],
            "volumeMounts": [_mount("cni-plugin", "/opt/cni/bin")],
        }
    ]


def _container(network, proxy):
    return {
        "name": "kube-flannel",
        "image": network["image"],
        "command": ["/opt/bin/flanneld"],
        "args": [
            "--ip-masq",
            "--kube-subnet-mgr",
            "--iface=$(NODE_ADDRESS)",
            "--healthz-port={0}".format(_HEALTH_PORT),
        ],
        "lifecycle": {"postStart": {"exec": {"command": ["/bin/sh", "-c", _INSTALL_CNI]}}},
        "ports": [{"name": "healthz", "containerPort": _HEALTH_PORT, "protocol": "TCP"}],
        "livenessProbe": _probe("/healthz", initialDelaySeconds=10, periodSeconds=30),
        "readinessProbe": _probe("/readyz", initialDelaySeconds=5, periodSeconds=10),
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
        "env": [
            field_variable("POD_NAME", "metadata.name"),
            field_variable("POD_NAMESPACE", "metadata.namespace"),
            field_variable("NODE_ADDRESS", "status.hostIP"),
            {"name": "EVENT_QUEUE_DEPTH", "value": "5000"},
            {"name": "CONT_WHEN_CACHE_NOT_READY", "value": "false"},
            *_endpoint_variables(proxy),
        ],
        "volumeMounts": [
            _mount("run", "/run/flannel"),
            _mount("cni", "/etc/cni/net.d"),
            _mount("flannel-cfg", "/etc/kube-flannel/"),
            _mount("xtables-lock", "/run/xtables.lock"),
        ],
    }


def _endpoint_variables(proxy):
    """Return what client-go's in-cluster configuration reads, where the endpoint is known."""
    if not proxy:
        return []
    host, port = proxy["endpoint"].rsplit(":", 1)
    return [
        {"name": "KUBERNETES_SERVICE_HOST", "value": host.strip("[]")},
        {"name": "KUBERNETES_SERVICE_PORT", "value": port},
    ]


def _probe(path, **timing):
    return dict(timing, httpGet={"path": path, "port": "healthz"})


def _volumes(network):
    volumes = [
        host_volume("run", "/run/flannel", "DirectoryOrCreate"),
        host_volume("cni", "/etc/cni/net.d", "DirectoryOrCreate"),
        {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}},
        host_volume("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
    ]
    if network["cni_image"]:
        volumes.append(host_volume("cni-plugin", "/opt/cni/bin", "DirectoryOrCreate"))
    return volumes


def _mount(name, path):
    return {"name": name, "mountPath": path}
