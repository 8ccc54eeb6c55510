#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm_init
short_description: Make the first control plane of a new cluster
version_added: 0.1.0
description:
  - Runs C(kubeadm init) on a host that is no control plane yet, without kubeadm's own kube-proxy and
    CoreDNS.
  - An attempt that was cut off is taken away by C(kubeadm reset) and made anew. That is done only when
    the host's record says that the attempt never ended well; leftovers of others are refused.
  - Settings of a control plane that exists are not compared here, see
    M(kubexms.cluster.kubeadm_control_plane).
extends_documentation_fragment:
  - kubexms.cluster._attributes
  - kubexms.cluster._kubeadm
author:
  - kubexms maintainers (@kubexms)
seealso:
  - module: kubexms.cluster.kubeadm_control_plane
  - module: kubexms.cluster.kubeadm_join
"""

EXAMPLES = r"""
- name: The first control plane is there
  kubexms.cluster.kubeadm_init:
    control_plane: true
    node_name: node1
    advertise_address: 192.0.2.11
    endpoint: 192.0.2.11:6443
    version: v1.36.3
    cluster_configuration:
      networking:
        podSubnet: 10.244.0.0/16
        serviceSubnet: 10.96.0.0/12
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: control plane
      before: ""
      after: v1.36.3
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: preflight-failed
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_init as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
