# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw-away hosts on this machine: containers that boot systemd and sshd.

For the demo, molecule and the end-to-end tests. A lab is a named set of hosts on a network of its own,
with one SSH key, pinned host keys and a cluster.yaml in its directory. Everything made carries a label,
and only what carries it is ever changed or removed. Needs root and podman; imported by ``cli`` only,
imports nothing of the product but errors, context and settings.
"""

from kubexms.lab.command import Commands, Local, Report
from kubexms.lab.hosts import cut, heal, kill, ssh_argv, start
from kubexms.lab.lifecycle import HostStatus, down, list_labs, status, up
from kubexms.lab.model import Host, Lab, load
from kubexms.lab.settle import Request, Workspace

__all__ = [
    "Commands",
    "Host",
    "HostStatus",
    "Lab",
    "Local",
    "Report",
    "Request",
    "Workspace",
    "cut",
    "down",
    "heal",
    "kill",
    "list_labs",
    "load",
    "ssh_argv",
    "start",
    "status",
    "up",
]
