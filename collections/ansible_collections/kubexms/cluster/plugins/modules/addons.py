#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: addons
short_description: Apply network plugin, kube-proxy and cluster DNS
version_added: 0.1.0
description:
  - Applies flannel, kube-proxy and CoreDNS to the cluster of a control-plane host, by server-side apply
    over the Kubernetes API itself.
  - What was applied is kept in the ConfigMap C(kube-system/kubexms-addons). An addon is applied anew when
    its settings changed, or one of its workloads or ConfigMaps was edited or removed since.
  - An addon that is no longer given is removed, and so is an object that an addon no longer has.
  - The module does not wait for Pods; M(kubexms.cluster.nodes) does.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  network:
    description: Network between Pods.
    type: dict
    suboptions:
      plugin:
        description: V(none) leaves the network to others.
        type: str
        choices: [flannel, none]
        default: flannel
      pod_cidr:
        description: Network of all Pods, as given to kubeadm.
        type: str
        required: true
      backend:
        description: How packets travel between hosts. V(host-gw) needs all hosts in one layer-2 network.
        type: str
        choices: [vxlan, host-gw]
        default: vxlan
      backend_port:
        description: UDP port of VXLAN. The kernel's own default is used when not given.
        type: int
      image:
        description: Image of flannel. Not needed with O(network.plugin=none).
        type: str
      cni_image:
        description: Image that brings the CNI plugin flannel. The hosts have it already when not given.
        type: str
  kube_proxy:
    description: Services on each host.
    type: dict
    suboptions:
      mode:
        description: How rules are made.
        type: str
        choices: [nftables, iptables]
        default: nftables
      pod_cidr:
        description: Network of all Pods.
        type: str
      endpoint:
        description: Address and port of the API server for all hosts.
        type: str
        required: true
      image:
        description: Image of kube-proxy.
        type: str
        required: true
      version:
        description: Version of kube-proxy, for a label.
        type: str
        required: true
      configuration:
        description: Fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1).
        type: dict
        default: {}
  dns:
    description: DNS for Pods and Services.
    type: dict
    suboptions:
      service_address:
        description: Address of the Service, the same as the kubelet's C(clusterDNS).
        type: str
        required: true
      domain:
        description: Domain of the cluster.
        type: str
        default: cluster.local
      image:
        description: Image of CoreDNS.
        type: str
        required: true
      replicas:
        description: Number of replicas. Each runs on a host of its own, so it should not exceed the hosts.
        type: int
        default: 2
      cache_seconds:
        description: How long answers from other servers are kept.
        type: int
        default: 30
  timeout:
    description:
      - How long to try again, in seconds, while the API server refuses an object or does not answer.
    type: int
    default: 60
seealso:
  - module: kubexms.cluster.nodes
"""

EXAMPLES = r"""
- name: Network plugin, kube-proxy and DNS are applied
  kubexms.cluster.addons:
    network:
      pod_cidr: 10.244.0.0/16
      image: ghcr.io/flannel-io/flannel:v0.28.10
    kube_proxy:
      pod_cidr: 10.244.0.0/16
      endpoint: 192.0.2.11:6443
      image: registry.k8s.io/kube-proxy:v1.36.3
      version: v1.36.3
    dns:
      service_address: 10.96.0.10
      image: registry.k8s.io/coredns/coredns:v1.14.7
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: addon flannel backend
      before: vxlan
      after: host-gw
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_addons as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
