# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.ssh: how hosts are reached."""

from typing import Annotated

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import Address, FilePath, HostKey, Port, User


class Bastion(Section):
    """A host that connections go through."""

    address: Address
    """Address of the bastion, as the controller sees it."""
    port: Port = 22
    """SSH port of the bastion."""
    user: User | None = None
    """User on the bastion; that of the hosts when absent."""
    private_key_file: FilePath | None = None
    """Private key for the bastion; that of the hosts when absent."""
    host_key: HostKey | None = None
    """Public host key of the bastion."""


ConnectTimeout = Annotated[int, Field(ge=1, le=300)]


class Ssh(Section):
    """Connection defaults of all hosts. Host keys are always checked.

    Keys come from the host's ``hostKey``, else from ``knownHostsFile``, else from the known_hosts of
    the user who runs kubexms.
    """

    user: User = "root"
    """User to log in as."""
    port: Port = 22
    """SSH port of the hosts."""
    private_key_file: FilePath | None = None
    """Private key on the controller, relative to cluster.yaml's directory; ssh's own choice when absent."""
    known_hosts_file: FilePath | None = None
    """File of known host keys on the controller, relative to the directory of cluster.yaml."""
    become: bool = False
    """Become root by sudo without a password. Needed when the user is not root."""
    connect_timeout: ConnectTimeout = 10
    """Seconds to wait for a connection."""
    bastion: Bastion | None = None
    """Host that connections go through."""


class HostSsh(Section):
    """What differs for one host; anything absent is taken from spec.ssh."""

    user: User | None = None
    """User to log in as."""
    port: Port | None = None
    """SSH port of the host."""
    private_key_file: FilePath | None = None
    """Private key file for this host."""
    host_key: HostKey | None = None
    """Public host key of the host, such as 'ssh-ed25519 AAAA...'; any other key is refused."""
    become: bool | None = None
    """Become root by sudo without a password."""
    connect_timeout: ConnectTimeout | None = None
    """Seconds to wait for a connection."""
