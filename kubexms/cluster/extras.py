# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.storage, spec.registry and spec.addons: what runs in the cluster besides its own parts."""

from pydantic import Field, JsonValue

from kubexms.cluster.base import Section
from kubexms.cluster.types import AbsolutePath, Address, DnsLabel, FilePath, Line, Port, Url


class LocalStorage(Section):
    """Volumes in a directory of the host."""

    enabled: bool = False
    """Provide the storage class."""
    path: AbsolutePath = "/var/lib/kubexms/volumes"
    """Directory of the volumes."""
    default: bool = True
    """Make it the default storage class."""


class NfsStorage(Section):
    """Volumes on an NFS server."""

    enabled: bool = False
    """Provide the storage class."""
    server: Address | None = None
    """NFS server."""
    path: AbsolutePath | None = None
    """Exported directory."""


class Storage(Section):
    """Storage classes."""

    local: LocalStorage = LocalStorage()
    """Volumes in a directory of the host."""
    nfs: NfsStorage = NfsStorage()
    """Volumes on an NFS server."""


class ImageRegistry(Section):
    """An image registry on the hosts of the role group registry."""

    enabled: bool = False
    """Run a registry."""
    port: Port = 5000
    """Port of the registry."""
    data_dir: AbsolutePath = "/var/lib/registry"
    """Directory of the images."""


class Chart(Section):
    """A helm chart."""

    name: DnsLabel
    """Name of the chart."""
    repository: Url
    """Repository of the chart."""
    version: Line
    """Version of the chart."""
    values: dict[str, JsonValue] = Field(default_factory=dict)
    """Values of the chart."""


class Addon(Section):
    """Something to install into the cluster: a chart or a manifest."""

    name: DnsLabel
    """Name of the addon."""
    namespace: DnsLabel = "default"
    """Namespace to install into."""
    chart: Chart | None = None
    """Helm chart to install."""
    manifest: FilePath | None = None
    """Manifest on the controller to apply."""
