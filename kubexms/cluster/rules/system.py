# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the operating system that would break the cluster."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.components import REQUIRED_SYSCTLS
from kubexms.cluster.finding import Finding


def sysctls_keep_the_network(cluster: Cluster) -> Iterator[Finding]:
    """Find kernel parameters that would cut pods off."""
    for key, value in cluster.spec.system.sysctls.items():
        needed = REQUIRED_SYSCTLS.get(key, value)
        if value != needed:
            yield Finding(("spec", "system", "sysctls", key), "cuts pods off", f'"{needed}", or leave it out')


def swap_fits_the_kubelet(cluster: Cluster) -> Iterator[Finding]:
    """Warn where swap stays and the kubelet would refuse to start beside it."""
    fails = cluster.spec.kubernetes.kubelet.configuration.get("failSwapOn", True)
    if cluster.spec.system.swap == "unmanaged" and fails is not False:
        message = "the kubelet does not start on hosts that have swap"
        hint = "disabled, or kubelet.configuration.failSwapOn: false"
        yield Finding(("spec", "system", "swap"), message, hint, warning=True)
