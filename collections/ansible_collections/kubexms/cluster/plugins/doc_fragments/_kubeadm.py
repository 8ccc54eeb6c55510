# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module that calls kubeadm takes, written once."""

from __future__ import annotations


class ModuleDocFragment:
    """The content of the variable ``kubexms_kubeadm``."""

    DOCUMENTATION = r"""
options:
  control_plane:
    description: Whether the host is a control plane.
    type: bool
    required: true
  node_name:
    description: Name of the host's node.
    type: str
    required: true
  advertise_address:
    description: Address at which other hosts reach this one.
    type: str
    required: true
  endpoint:
    description: Address and port of the API server for all hosts, such as a load balancer.
    type: str
    required: true
  version:
    description: Version of Kubernetes, with its leading C(v).
    type: str
    required: true
  cluster_configuration:
    description: Fields of kubeadm's ClusterConfiguration (kubeadm.k8s.io/v1beta4).
    type: dict
    required: true
  ignore_preflight:
    description: Names of kubeadm's preflight checks whose errors are ignored.
    type: list
    elements: str
    default: []
  timeout:
    description: How long kubeadm may wait for each of its steps, in seconds.
    type: int
    default: 300
  ready_timeout:
    description: How long to wait until the host's node is Ready, in seconds.
    type: int
    default: 300
"""
