# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the operating system that would break the cluster, or that somebody else changes back."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.components import KUBE_PROXY_SYSCTLS, KUBELET_SYSCTLS, NETWORK_SYSCTLS
from kubexms.cluster.finding import Finding


def sysctls_are_free(cluster: Cluster) -> Iterator[Finding]:
    """Find kernel parameters that would cut pods off, or that components set themselves."""
    for key, value in cluster.spec.system.sysctls.items():
        path = ("spec", "system", "sysctls", key)
        if value != (needed := NETWORK_SYSCTLS.get(key, value)):
            yield Finding(path, "cuts pods off", f'"{needed}", or leave it out')
        elif value != (needed := KUBELET_SYSCTLS.get(key, value)):
            yield Finding(path, "is not what the kubelet sets", f'"{needed}", or leave it out')
        elif key in KUBE_PROXY_SYSCTLS:
            hint = "spec.kubernetes.kubeProxy.configuration.conntrack"
            yield Finding(path, "kube-proxy may set another value", hint, warning=True)


def swap_fits_the_kubelet(cluster: Cluster) -> Iterator[Finding]:
    """Warn where swap stays and the kubelet would refuse to start beside it."""
    fails = cluster.spec.kubernetes.kubelet.configuration.get("failSwapOn", True)
    if cluster.spec.system.swap == "unmanaged" and fails is not False:
        message = "the kubelet does not start on hosts that have swap"
        hint = "disabled, or kubelet.configuration.failSwapOn: false"
        yield Finding(("spec", "system", "swap"), message, hint, warning=True)
