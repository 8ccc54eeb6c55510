#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet
short_description: Set up the kubelet of a host
version_added: 0.1.0
description:
  - Writes the kubelet's unit with the drop-in of kubeadm's packages, its arguments and its settings.
  - Settings are a file of their own in C(/etc/kubernetes/kubelet.conf.d), which overrides the
    configuration that kubeadm takes from the cluster.
  - The kubelet of a host that has joined is restarted once when it runs with other settings or another
    binary, and waited for until it is healthy. On other hosts the unit is enabled, and kubeadm starts it.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  node_ip:
    description: Address of the node. The kubelet chooses one when not given.
    type: str
  extra_args:
    description: Further arguments of the kubelet, names without dashes.
    type: dict
    default: {}
  configuration:
    description: Fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1).
    type: dict
    default: {}
seealso:
  - module: kubexms.cluster.kubeadm_init
  - module: kubexms.cluster.kubeadm_join
"""

EXAMPLES = r"""
- name: The kubelet is set up
  kubexms.cluster.kubelet:
    node_ip: 192.0.2.11
    extra_args:
      v: "2"
    configuration:
      maxPods: 200
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /etc/kubernetes/kubelet.conf.d/50-kubexms.conf
      before: sha256:1f0c9e2d5b7a
      after: sha256:9b1d4c7e8f20
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_kubelet as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
