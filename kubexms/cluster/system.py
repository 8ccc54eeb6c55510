# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.system and spec.preflight: the operating system of the hosts."""

from typing import Annotated, Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import (
    Address,
    CheckName,
    FilePath,
    ModuleName,
    PackageName,
    SysctlKey,
    SysctlValue,
    Timezone,
)


class Ntp(Section):
    """Time synchronisation."""

    enabled: bool = False
    """Install and configure chrony."""
    servers: tuple[Address, ...] = ()
    """Time servers."""


class Hooks(Section):
    """Scripts of the user that are run on the hosts."""

    before_deploy: tuple[FilePath, ...] = ()
    """Scripts to run before anything else."""
    after_deploy: tuple[FilePath, ...] = ()
    """Scripts to run when the cluster is ready."""


class System(Section):
    """Settings of the operating system, besides those that Kubernetes needs anyway."""

    sysctls: dict[SysctlKey, SysctlValue] = Field(default_factory=dict)
    """Kernel parameters: key, and value as text."""
    modules: tuple[ModuleName, ...] = ()
    """Kernel modules to load."""
    packages: tuple[PackageName, ...] = ()
    """Packages to install from the distribution."""
    swap: Literal["disabled", "unmanaged"] = "disabled"
    """Turn swap off, or leave it alone."""
    hosts_file: Literal["managed", "unmanaged"] = "managed"
    """Keep a block with all hosts in /etc/hosts, or leave the file alone."""
    ntp: Ntp = Ntp()
    """Time synchronisation."""
    timezone: Timezone | None = None
    """Time zone; left alone when absent."""
    hooks: Hooks = Hooks()
    """Scripts to run on the hosts."""


class Preflight(Section):
    """What a host must have before it is touched."""

    min_cpus: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Fewest processors of a host."""
    min_memory: Annotated[int, Field(ge=1)] | None = None
    """Least memory of a host, in MiB."""
    skip: tuple[CheckName, ...] = ()
    """Checks to leave out."""
