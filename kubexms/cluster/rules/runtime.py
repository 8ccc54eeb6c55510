# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries and additional configuration of the container runtime."""

import tomllib
from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path

_RUNTIME: Path = ("spec", "containerRuntime")


def registries_are_unique(cluster: Cluster) -> Iterator[Finding]:
    """Find registries that stand twice, and credentials for registries that are not named."""
    first: dict[str, int] = {}
    for index, registry in enumerate(cluster.spec.container_runtime.registries):
        path = (*_RUNTIME, "registries", index)
        if (other := first.setdefault(registry.host, index)) != index:
            message = f"{registry.host} is spec.containerRuntime.registries[{other}] too"
            yield Finding((*path, "host"), message, "every registry once")
        if registry.host == "_default" and registry.auth is not None:
            yield Finding((*path, "auth"), "credentials for every registry", "auth of a named registry")


def transport_is_safe(cluster: Cluster) -> Iterator[Finding]:
    """Warn about mirrors that anybody in between can read or change."""
    for index, registry in enumerate(cluster.spec.container_runtime.registries):
        for number, mirror in enumerate(registry.mirrors):
            path = (*_RUNTIME, "registries", index, "mirrors", number)
            if mirror.skip_verify:
                yield Finding(
                    (*path, "skipVerify"), "the mirror's certificate is not verified", "caFile", warning=True
                )
            if registry.auth is not None and mirror.url.startswith("http://"):
                message = "credentials may be sent in clear text"
                yield Finding((*path, "url"), message, "https", warning=True)


def extra_config_is_toml(cluster: Cluster) -> Iterator[Finding]:
    """Find extra configuration that is not TOML."""
    path = (*_RUNTIME, "extraConfig")
    try:
        tomllib.loads(cluster.spec.container_runtime.extra_config)
    except tomllib.TOMLDecodeError as error:
        position = str(error).rpartition("(")[2].rstrip(")")
        yield Finding(path, f"is not TOML ({position})", "TOML as in containerd's config.toml")
    except (RecursionError, ValueError):
        yield Finding(path, "is not TOML", "TOML as in containerd's config.toml")
