#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Set labels, annotations and taints of nodes, and wait until they are Ready
version_added: 0.1.0
description:
  - Sets labels, annotations and taints of all given nodes from one control-plane host.
  - A key that was set here and is no longer given is removed. Keys of others stay.
  - Waits until all given nodes are Ready and, where M(kubexms.cluster.addons) applied CoreDNS, a replica
    of it is available. The failure names each node that is not Ready, with the kubelet's reason.
  - Takes back the credentials that M(kubexms.cluster.kubeadm_token) made.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  nodes:
    description: The nodes of the cluster.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the node.
        type: str
        required: true
      labels:
        description: Labels to set.
        type: dict
        default: {}
      annotations:
        description: Annotations to set.
        type: dict
        default: {}
      taints:
        description: Taints to set.
        type: list
        elements: dict
        default: []
        suboptions:
          key:
            description: Key of the taint.
            type: str
            required: true
          value:
            description: Value of the taint.
            type: str
            default: ""
          effect:
            description: What happens to Pods that do not tolerate it.
            type: str
            required: true
            choices: [NoSchedule, PreferNoSchedule, NoExecute]
  leave_out:
    description: Names of nodes to leave alone, such as those whose hosts have failed before.
    type: list
    elements: str
    default: []
  ready_timeout:
    description: How long to wait for all nodes, in seconds.
    type: int
    default: 300
seealso:
  - module: kubexms.cluster.addons
"""

EXAMPLES = r"""
- name: Nodes have their labels and are Ready
  kubexms.cluster.nodes:
    nodes:
      - name: node1
      - name: node2
        labels:
          node-role.kubernetes.io/worker: ""
        taints:
          - key: dedicated
            value: batch
            effect: NoSchedule
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: node node2 label node-role.kubernetes.io/worker
      before: ""
      after: '""'
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_nodes as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
