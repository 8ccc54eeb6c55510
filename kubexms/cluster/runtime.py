# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.containerRuntime: containerd and the registries that images come from."""

from typing import Annotated, Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.secret import SecretRef
from kubexms.cluster.types import FilePath, Line, RegistryHost, Url


class Mirror(Section):
    """A place to ask before the registry itself."""

    url: Url
    """Base URL of the mirror."""
    capabilities: tuple[Literal["pull", "resolve"], ...] = ("pull", "resolve")
    """What the mirror is trusted with."""
    skip_verify: bool = False
    """Do not verify the mirror's TLS certificate."""
    override_path: bool = False
    """The URL already contains the API's path, as with proxy projects of Harbor."""


class RegistryAuth(Section):
    """Credentials of a registry."""

    username: Annotated[Line, Field(min_length=1)]
    """User name."""
    password: SecretRef
    """Reference to the password or token."""


class Registry(Section):
    """How images of one registry are had."""

    host: RegistryHost
    """The registry in image names, such as docker.io; _default stands for all that are not listed."""
    mirrors: tuple[Mirror, ...] = ()
    """Mirrors, asked in this order before the registry itself."""
    auth: RegistryAuth | None = None
    """Credentials."""
    ca_file: FilePath | None = None
    """Certificate authority in PEM on the controller, relative to the directory of cluster.yaml."""


class ContainerRuntime(Section):
    """Settings of the container runtime."""

    type: Literal["containerd", "docker", "crio"] = "containerd"
    """The container runtime."""
    registries: tuple[Registry, ...] = ()
    """Mirrors and credentials of registries."""
    restrict_oom_score_adj: bool = False
    """Do not lower OOM scores below containerd's own; for hosts without CAP_SYS_RESOURCE."""
    extra_config: Annotated[str, Field(max_length=65536)] = ""
    """TOML that is merged into containerd's configuration."""
