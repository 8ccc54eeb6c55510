# SPDX-License-Identifier: GPL-3.0-or-later
"""How Ansible reaches a host: the variables of its ssh connection."""

import shlex
from pathlib import Path
from typing import Any

from kubexms.cluster import Cluster, EffectiveSsh, Host, effective_ssh


def connection_variables(
    cluster: Cluster, item: Host, directory: Path, known_hosts: Path | None
) -> dict[str, Any]:
    """Return the connection variables of a host.

    Files in cluster.yaml are relative to ``directory``. ``known_hosts`` has the keys pinned in
    cluster.yaml, for hosts that have one pinned.
    Host keys are always checked; ssh_config(5) has the options.
    """
    ssh = effective_ssh(cluster, item)
    variables: dict[str, Any] = {
        "ansible_host": ssh.address,
        "ansible_port": ssh.port,
        "ansible_user": ssh.user,
        "ansible_ssh_timeout": ssh.connect_timeout,
        "ansible_ssh_common_args": shlex.join(_options(ssh, directory, known_hosts)),
    }
    if ssh.private_key_file is not None:
        variables["ansible_ssh_private_key_file"] = str(directory / ssh.private_key_file)
    if ssh.become:
        variables["ansible_become"] = True
    return variables


def _options(ssh: EffectiveSsh, directory: Path, known_hosts: Path | None) -> list[str]:
    options = ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    file = known_hosts if ssh.host_key is not None else None
    if file is None and ssh.known_hosts_file is not None:
        file = directory / ssh.known_hosts_file
    if file is not None:
        options += ["-o", f"UserKnownHostsFile={file}", "-o", "GlobalKnownHostsFile=/dev/null"]
    return options
