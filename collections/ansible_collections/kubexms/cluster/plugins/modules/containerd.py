#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: containerd
short_description: Configure and run containerd
version_added: 0.1.0
description:
  - Writes containerd's configuration, its systemd unit and the folders of registries, and has it enabled,
    active and answering.
  - containerd is restarted when its configuration, unit or binary is not the one that it runs with. Pods keep
    running meanwhile. Registries are read at each pull, so a change of these needs no restart.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  sandbox_image:
    description: Image of the pause container, pinned so that it is never collected.
    type: str
    required: true
  restrict_oom_score_adj:
    description: Never set a container's OOM score adjustment below containerd's own, where that is forbidden.
    type: bool
    default: false
  registries:
    description: Registries that need a mirror, credentials or a certificate.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Host of the registry as it stands in image names; V(_default) for all others.
        type: str
        required: true
      mirrors:
        description: Where to look first, in order.
        type: list
        elements: dict
        default: []
        suboptions:
          url:
            description: URL of the mirror.
            type: str
            required: true
          capabilities:
            description: What the mirror is used for.
            type: list
            elements: str
            choices: [pull, resolve, push]
            default: [pull, resolve]
          skip_verify:
            description: Do not verify its certificate.
            type: bool
            default: false
          override_path:
            description: The URL holds the whole path; C(/v2) is not appended.
            type: bool
            default: false
      username:
        description: User of the registry, also where it serves as a mirror of another.
        type: str
      password:
        description: Password of the user.
        type: str
      ca:
        description: Certificates in PEM that its certificate is verified with.
        type: str
  extra_config:
    description: TOML of configuration version 3 that is merged over the rest.
    type: str
    default: ""
  binary_directory:
    description: Folder of the C(containerd) binary.
    type: path
    default: /usr/local/bin
seealso:
  - module: kubexms.cluster.artifact
  - module: kubexms.cluster.image
"""

EXAMPLES = r"""
- name: Containers can run
  kubexms.cluster.containerd:
    sandbox_image: registry.k8s.io/pause:3.10.2
    registries:
      - host: docker.io
        mirrors:
          - url: https://mirror.example.org
"""

RETURN = r"""
differences:
  description: What was not as wanted, one entry a thing. Secrets are hidden.
  returned: success
  type: list
  elements: dict
  sample:
    - path: containerd.service active
      before: "false"
      after: "true"
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
  description: Last lines of containerd's log.
  returned: failure
  type: list
  elements: str
retriable:
  description: Whether the same call may go well a little later.
  returned: failure
  type: bool
"""

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_runtime as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
