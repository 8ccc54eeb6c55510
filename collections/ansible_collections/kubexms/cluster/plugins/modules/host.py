#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Make a machine ready for Kubernetes
version_added: 0.1.0
description:
  - Writes whose host this is, sets its name, its entries in C(/etc/hosts), kernel parameters, kernel modules
    and swap, and installs packages of the distribution.
  - A host that belongs to another cluster is refused before anything is changed.
  - What was there before is kept in C(/var/lib/kubexms/state.json), so that a reset can put it back.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  cluster:
    description: The cluster that the host belongs to. Written to C(/etc/kubexms/cluster.json).
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      id:
        description: Generated id of the cluster. A host with another one is refused.
        type: str
        required: true
      fixed:
        description: Settings that a running cluster cannot change, by their path in the cluster file.
        type: dict
        default: {}
  hostname:
    description: Name of the host, now and after a boot. Left as it is when not given.
    type: str
  hosts:
    description:
      - Entries of the marked block in C(/etc/hosts). Without entries the block is taken out.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: IP address.
        type: str
        required: true
      names:
        description: Names of the address.
        type: list
        elements: str
        required: true
  sysctls:
    description:
      - Kernel parameters, now and after a boot (C(/etc/sysctl.d/99-kubexms.conf)).
      - A parameter that the kernel does not have is an error that names it.
    type: dict
    default: {}
  kernel_modules:
    description:
      - Kernel modules, now and after a boot (C(/etc/modules-load.d/kubexms.conf)).
      - A module that is built into the kernel counts as loaded.
    type: list
    elements: str
    default: []
  swap:
    description:
      - V(disabled) switches swap off and comments its lines in C(/etc/fstab) with a marker.
      - V(unmanaged) leaves swap alone.
    type: str
    choices: [disabled, unmanaged]
    default: disabled
  packages:
    description: Packages of the distribution that must be installed, by apt or dnf.
    type: list
    elements: str
    default: []
seealso:
  - module: kubexms.cluster.artifact
  - module: kubexms.cluster.containerd
"""

EXAMPLES = r"""
- name: The host is prepared
  kubexms.cluster.host:
    cluster:
      name: demo
      id: 0b5b5c1e-7f0c-4a3e-9e57-5f7f3f3c1f6d
    hostname: node1
    hosts:
      - address: 192.0.2.11
        names: [node1]
    sysctls:
      net.ipv4.ip_forward: "1"
    kernel_modules: [overlay, br_netfilter]
    packages: [conntrack]
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: sysctl net.ipv4.ip_forward
      before: "0"
      after: "1"
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: foreign-cluster
hint:
  description: What to do about the failure.
  returned: failure
  type: str
tail:
  description: Last lines of the program that failed.
  returned: failure
  type: list
  elements: str
retriable:
  description: Whether the same call may go well a little later.
  returned: failure
  type: bool
"""

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
