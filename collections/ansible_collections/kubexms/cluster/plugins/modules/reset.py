#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: reset
short_description: Leave a host as it was before
version_added: 0.1.0
description:
  - Ends Kubernetes on a host and removes or puts back everything that modules of this collection made or
    changed, by the record that they kept. Rules, tables and files of others stay.
  - A host without identity and record is not ours, and nothing on it is touched.
  - The rest of the cluster is not told. Use it to take down a whole cluster, or a host that never became
    a member.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  cluster:
    description: The cluster that the host must belong to. Any when not given.
    type: dict
    suboptions:
      name:
        description: Name of the cluster.
        type: str
      id:
        description: Generated id of the cluster. A host with another one is refused.
        type: str
        required: true
seealso:
  - module: kubexms.cluster.host
"""

EXAMPLES = r"""
- name: The host is as it was before
  kubexms.cluster.reset:
    cluster:
      name: demo
      id: 0b5b5c1e-7f0c-4a3e-9e57-5f7f3f3c1f6d
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /etc/kubernetes
      before: present
      after: ""
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_reset as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
