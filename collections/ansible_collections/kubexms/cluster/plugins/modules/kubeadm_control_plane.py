#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm_control_plane
short_description: Keep a control plane as its settings say
version_added: 0.1.0
description:
  - Compares the settings of the static Pods with those that they were made from, and their manifests with
    the ones that were made.
  - Makes what differs anew by kubeadm's own phases, one component after the other, and waits for each
    until it is ready. A manifest with which its component does not get ready is put back.
  - Versions, networks and addresses are not changed here.
  - Run it on one host of a cluster at a time.
extends_documentation_fragment:
  - kubexms.cluster._attributes
  - kubexms.cluster._kubeadm
author:
  - kubexms maintainers (@kubexms)
seealso:
  - module: kubexms.cluster.kubeadm_init
"""

EXAMPLES = r"""
- name: The control plane follows its settings
  kubexms.cluster.kubeadm_control_plane:
    control_plane: true
    node_name: node1
    advertise_address: 192.0.2.11
    endpoint: 192.0.2.11:6443
    version: v1.36.3
    cluster_configuration:
      networking:
        podSubnet: 10.244.0.0/16
        serviceSubnet: 10.96.0.0/12
      apiServer:
        extraArgs:
          - name: event-ttl
            value: 2h
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: kube-apiserver extraArgs.event-ttl
      before: ""
      after: 2h
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: unhealthy
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_control_plane as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
