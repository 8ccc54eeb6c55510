#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Look at a host and compare it with what is wanted
version_added: 0.1.0
description:
  - Returns in one call everything that a plan needs of a host, and changes nothing.
  - Each stage is compared by the same code as in the stage's own module, so that a stage without differences
    here changes nothing there.
extends_documentation_fragment:
  - kubexms.cluster._attributes.info
author:
  - kubexms maintainers (@kubexms)
options:
  stages:
    description:
      - A JSON object that maps the name of a stage to the parameters of its module.
      - It may hold passwords of registries, so the whole is kept out of logs.
    type: json
    required: true
"""

EXAMPLES = r"""
- name: Look at the host
  kubexms.cluster.probe:
    stages: "{{ {'host': kubexms_host, 'files': kubexms_files} | to_json }}"
  register: look
"""

RETURN = r"""
observation:
  description: What was found.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    facts:
      description: Who the machine is and what it has.
      type: dict
    cluster:
      description: The identity found on the host, if any.
      type: dict
    kubernetes:
      description: Whether the host is joined, and as what.
      type: dict
    control_plane:
      description: Nodes and etcd members as this host sees them; only on control-plane hosts.
      type: dict
    stages:
      description: Stage to its differences, or the error that kept it from being compared.
      type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubexms.cluster.plugins.module_utils._command import Client
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._probe import observe


def main():
    module = AnsibleModule(
        argument_spec={"stages": {"type": "json", "required": True, "no_log": True}},
        supports_check_mode=True,
    )
    try:
        observation = observe(Client(module), json.loads(module.params["stages"]))
    except StageError as error:
        module.fail_json(**error.as_result())
    module.exit_json(changed=False, observation=observation)


if __name__ == "__main__":
    main()
