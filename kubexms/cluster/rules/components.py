# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, flags and configuration of the Kubernetes components."""

from collections.abc import Iterable, Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.components import (
    KUBE_PROXY_FIELDS,
    KUBELET_FIELDS,
    OWNED_FLAGS,
    OWNED_KUBE_PROXY_FIELDS,
    OWNED_KUBELET_FIELDS,
    Owned,
    instead_of,
)
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path
from kubexms.cluster.versions import SUPPORTED_VERSIONS
from kubexms.cluster.words import did_you_mean

_MOST_COMPARED = 50
_KUBERNETES: Path = ("spec", "kubernetes")


def version_is_supported(cluster: Cluster) -> Iterator[Finding]:
    """Find versions that there are no artifacts for."""
    version = cluster.spec.kubernetes.version
    if version not in SUPPORTED_VERSIONS:
        hint = f"supported: {', '.join(SUPPORTED_VERSIONS)}"
        yield Finding((*_KUBERNETES, "version"), f"unsupported version {version}", hint)


def flags_are_free(cluster: Cluster) -> Iterator[Finding]:
    """Find flags that kubexms sets or that have a field of their own."""
    settings = cluster.spec.kubernetes
    given = {
        "apiServer": settings.api_server.extra_args,
        "controllerManager": settings.controller_manager.extra_args,
        "scheduler": settings.scheduler.extra_args,
        "kubelet": settings.kubelet.extra_args,
    }
    for component, arguments in given.items():
        yield from _free((*_KUBERNETES, component, "extraArgs"), arguments, OWNED_FLAGS[component])


def kubelet_fields_are_known(cluster: Cluster) -> Iterator[Finding]:
    """Find fields of KubeletConfiguration that do not exist, are kubexms' own, or are set twice."""
    kubelet = cluster.spec.kubernetes.kubelet
    path = (*_KUBERNETES, "kubelet", "configuration")
    yield from _known(path, kubelet.configuration, KUBELET_FIELDS)
    yield from _free(path, kubelet.configuration, OWNED_KUBELET_FIELDS)
    typed = kubelet.model_dump(by_alias=True, exclude_defaults=True, exclude={"configuration"})
    for name in kubelet.configuration:
        if name in typed:
            yield Finding((*path, name), "is set twice", f"spec.kubernetes.kubelet.{name} only", at_key=True)


def kube_proxy_fields_are_known(cluster: Cluster) -> Iterator[Finding]:
    """Find fields of KubeProxyConfiguration that do not exist or are kubexms' own."""
    path = (*_KUBERNETES, "kubeProxy", "configuration")
    configuration = cluster.spec.kubernetes.kube_proxy.configuration
    yield from _known(path, configuration, KUBE_PROXY_FIELDS)
    yield from _free(path, configuration, OWNED_KUBE_PROXY_FIELDS)


def preflight_is_not_off(cluster: Cluster) -> Iterator[Finding]:
    """Warn where every preflight check is ignored."""
    for index, name in enumerate(cluster.spec.kubernetes.ignore_preflight_errors):
        if name.lower() == "all":
            path = (*_KUBERNETES, "ignorePreflightErrors", index)
            yield Finding(path, "every preflight error is ignored", "the checks that are known", warning=True)


def _known(path: Path, names: Iterable[str], fields: frozenset[str]) -> Iterator[Finding]:
    unknown = [name for name in names if name not in fields]
    for index, name in enumerate(unknown):
        near = did_you_mean(name, fields) if index < _MOST_COMPARED else None
        hint = near or "a field of the component's configuration"
        yield Finding((*path, name), "unknown key", hint, at_key=True)


def _free(path: Path, names: Iterable[str], owned: tuple[Owned, ...]) -> Iterator[Finding]:
    for name in names:
        if instead := instead_of(name, owned):
            yield Finding((*path, name), "is not free", instead, at_key=True)
