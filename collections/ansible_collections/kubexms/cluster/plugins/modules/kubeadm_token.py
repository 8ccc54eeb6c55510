#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm_token
short_description: Make what hosts need to join
version_added: 0.1.0
description:
  - Makes a bootstrap token on a control-plane host and, for control planes, uploads the certificates
    encrypted by a new key.
  - Makes nothing when all of O(nodes) are Ready nodes of the cluster already.
  - The parameters are those of the control-plane host that it runs on.
  - M(kubexms.cluster.nodes) takes tokens and certificates back before they expire.
extends_documentation_fragment:
  - kubexms.cluster._attributes
  - kubexms.cluster._kubeadm
author:
  - kubexms maintainers (@kubexms)
options:
  nodes:
    description: Names of the nodes that may have yet to join.
    type: list
    elements: str
    required: true
  control_planes:
    description: Those of O(nodes) that join as control planes.
    type: list
    elements: str
    default: []
seealso:
  - module: kubexms.cluster.kubeadm_join
"""

EXAMPLES = r"""
- name: Credentials are made where a host needs them
  kubexms.cluster.kubeadm_token:
    control_plane: true
    node_name: node1
    advertise_address: 192.0.2.11
    endpoint: 192.0.2.11:6443
    version: v1.36.3
    cluster_configuration:
      networking:
        podSubnet: 10.244.0.0/16
        serviceSubnet: 10.96.0.0/12
    nodes: [node2, node3]
    control_planes: [node2]
  no_log: true
  register: made
"""

RETURN = r"""
credentials:
  description: What M(kubexms.cluster.kubeadm_join) needs. Secret, so register it under C(no_log).
  returned: when one of O(nodes) has yet to join
  type: dict
  contains:
    token:
      description: Bootstrap token, valid for 30 minutes.
      type: str
    ca_certificate:
      description: Certificate of the cluster's CA in PEM.
      type: str
    certificate_key:
      description: Key of the certificates that were uploaded, when one of O(control_planes) has yet to join.
      type: str
    etcd_servers:
      description: Addresses of etcd's voting members, when one of O(control_planes) has yet to join.
      type: list
      elements: str
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: join of node2
      before: ""
      after: possible for 1800 s
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: api-failed
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_token as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
