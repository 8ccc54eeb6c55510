# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.etcd: where the cluster's state is kept."""

from typing import Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.secret import SecretRef
from kubexms.cluster.types import AbsolutePath, EtcdEndpoint, ExtraArgs, FilePath


class ExternalEtcd(Section):
    """An etcd cluster that kubexms does not manage."""

    endpoints: tuple[EtcdEndpoint, ...] = ()
    """Client URLs, such as https://10.0.0.9:2379."""
    ca_file: FilePath | None = None
    """Certificate authority of the servers."""
    cert_file: FilePath | None = None
    """Client certificate."""
    key: SecretRef | None = None
    """Client key."""


class Etcd(Section):
    """Settings of etcd."""

    type: Literal["stacked", "binary", "external"] = "stacked"
    """Stacked on control-plane hosts by kubeadm, installed as a service, or somebody else's."""
    data_dir: AbsolutePath = "/var/lib/etcd"
    """Directory of the data."""
    extra_args: ExtraArgs = Field(default_factory=dict)
    """Additional flags: name without dashes, and value as text."""
    external: ExternalEtcd = ExternalEtcd()
    """The etcd cluster to use when the type is external."""
