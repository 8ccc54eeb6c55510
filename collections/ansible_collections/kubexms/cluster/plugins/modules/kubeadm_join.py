#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm_join
short_description: Join a host to a cluster
version_added: 0.1.0
description:
  - Joins a host as a control plane or as a worker, and waits until its node is Ready.
  - A join that was cut off is taken away and made anew, with the etcd member that it may have added. That
    is done only when the host's record says that the join never ended well.
  - Control planes may join at the same time.
extends_documentation_fragment:
  - kubexms.cluster._attributes
  - kubexms.cluster._kubeadm
author:
  - kubexms maintainers (@kubexms)
options:
  credentials:
    description:
      - What M(kubexms.cluster.kubeadm_token) returned. Needed only when the host has yet to join.
    type: dict
    suboptions:
      token:
        description: Bootstrap token.
        type: str
        required: true
      ca_certificate:
        description: Certificate of the cluster's CA in PEM.
        type: str
        required: true
      certificate_key:
        description: Key of the control plane's certificates in the cluster. Needed by control planes.
        type: str
      etcd_servers:
        description:
          - Addresses of etcd's voting members. Needed to take away a half-made join of a control plane.
        type: list
        elements: str
        default: []
seealso:
  - module: kubexms.cluster.kubeadm_token
"""

EXAMPLES = r"""
- name: Credentials are made
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
    nodes: [node2]
  delegate_to: node1
  no_log: true
  register: made

- name: The host is a worker
  kubexms.cluster.kubeadm_join:
    control_plane: false
    node_name: node2
    advertise_address: 192.0.2.12
    endpoint: 192.0.2.11:6443
    version: v1.36.3
    cluster_configuration:
      networking:
        podSubnet: 10.244.0.0/16
        serviceSubnet: 10.96.0.0/12
    credentials: "{{ made.credentials }}"
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: node node2
      before: ""
      after: worker
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_join as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
