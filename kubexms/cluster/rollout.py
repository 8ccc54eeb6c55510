# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.rollout and spec.artifacts: how changes reach the hosts, and where files come from."""

from typing import Annotated, Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import PERCENT, FilePath, Seconds, Url


class Drain(Section):
    """How pods leave a host before it is changed."""

    enabled: bool = False
    """Cordon and drain a host before changes that restart its pods."""
    timeout: Seconds = 300
    """Seconds to wait for pods to leave."""
    delete_empty_dir_data: bool = False
    """Drain pods with local data too; the data is lost."""


class Rollout(Section):
    """How changes reach the hosts of a running cluster."""

    max_unavailable: Annotated[int, Field(ge=1, le=10000)] | Annotated[str, Field(pattern=PERCENT)] = 1
    """Most workers that may be out of service at once: a number, or a percentage of all workers."""
    drain: Drain = Drain()
    """How pods leave a host before it is changed."""
    pause: Annotated[int, Field(ge=0, le=86400)] = 0
    """Seconds between one batch of hosts and the next."""


class Artifacts(Section):
    """Where files and images come from."""

    sources: tuple[Literal["directory", "mirror", "official", "build"], ...] = ()
    """Sources, in the order they are asked; all when empty."""
    offline: bool = False
    """Use nothing from the internet."""
    mirror: Url | None = None
    """Base URL of a mirror."""
    directory: FilePath | None = None
    """Directory on the controller."""
