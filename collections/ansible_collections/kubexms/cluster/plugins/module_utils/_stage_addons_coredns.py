# SPDX-License-Identifier: GPL-3.0-or-later
"""CoreDNS's objects. Pure.

Source: kubeadm's app/phases/addons/dns. Other than there: replicas keep to different hosts strictly (the
first host alone would otherwise get all of them while the others still join), a disruption budget keeps
one of several, readiness is looked at every 2 s (one failure used to cost 10 s at the start), and a
change of the Corefile rolls out.
"""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils._kube_objects import (
    cluster_role,
    cluster_role_binding,
    config_map,
    digest,
    item,
    service_account,
)

NAME = "coredns"
NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-dns"}

_COREFILE = """\
.:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache {cache_seconds} {{
       disable success {domain}
       disable denial {domain}
    }}
    loop
    reload
    loadbalance
}}
"""

_RULES = [
    ("", ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
    ("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
]

_PORTS = [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP")]
_HEALTH_PORTS = [("liveness-probe", 8080, "TCP"), ("readiness-probe", 8181, "TCP")]


def objects(dns):
    """Return CoreDNS's objects for the parameter ``dns``, in the order to create them."""
    configuration = {"Corefile": _COREFILE.format(**dns)}
    listed = [
        service_account(NAMESPACE, NAME),
        cluster_role("system:coredns", _RULES),
        cluster_role_binding("system:coredns", "system:coredns", NAMESPACE, NAME),
        config_map(NAMESPACE, NAME, configuration),
        _service(dns),
        _deployment(dns, configuration),
    ]
    if dns["replicas"] > 1:
        budget = {"maxUnavailable": 1, "selector": {"matchLabels": _LABELS}}
        listed.append(item("policy/v1", "PodDisruptionBudget", NAME, NAMESPACE, _LABELS, spec=budget))
    return listed


def _service(dns):
    labels = {"kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    spec = {
        "clusterIP": dns["service_address"],
        "selector": _LABELS,
        "ports": [
            {"name": name, "port": port, "protocol": protocol, "targetPort": port}
            for name, port, protocol in _PORTS
        ],
    }
    service = item("v1", "Service", "kube-dns", NAMESPACE, dict(_LABELS, **labels), spec=spec)
    service["metadata"]["annotations"] = {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"}
    return service


def _deployment(dns, configuration):
    spec = {
        "replicas": dns["replicas"],
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {
                "labels": _LABELS,
                "annotations": {"kubexms.io/config-digest": digest(configuration)},
            },
            "spec": _pod(dns),
        },
    }
    return item("apps/v1", "Deployment", NAME, NAMESPACE, _LABELS, spec=spec)


def _pod(dns):
    apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": _LABELS}}
    return {
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": NAME,
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "dnsPolicy": "Default",
        "containers": [_container(dns)],
        "volumes": [
            {
                "name": "config-volume",
                "configMap": {"name": NAME, "items": [{"key": "Corefile", "path": "Corefile"}]},
            }
        ],
    }


def _container(dns):
    return {
        "name": NAME,
        "image": dns["image"],
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        "ports": [
            {"name": name, "containerPort": port, "protocol": protocol}
            for name, port, protocol in [*_PORTS, *_HEALTH_PORTS]
        ],
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": "liveness-probe", "scheme": "HTTP"},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
            "successThreshold": 1,
            "failureThreshold": 5,
        },
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": "readiness-probe", "scheme": "HTTP"},
            "periodSeconds": 2,
            "failureThreshold": 15,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
