#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Have images in containerd by their digest
version_added: 0.1.0
description:
  - Brings images into containerd's namespace C(k8s.io), each name pointing at the manifest that is pinned.
  - The archive of an image is pulled from a server that speaks the registry API below
    C({url}/sha256/{digest}/v2), else downloaded and imported, else sent from O(directory) on the controller
    over Ansible's connection. An image without an archive is pulled by its name.
  - A name that turns out to point at another manifest is taken away again, and is an error.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Full reference, with registry and tag.
        type: str
        required: true
      digest:
        description: Digest of the manifest that the name must point at.
        type: str
        required: true
      archive:
        description: Archive (OCI image layout) that holds the image. Without one it is pulled by its name.
        type: dict
        suboptions:
          sha256:
            description: SHA-256 of the archive, in hexadecimal digits.
            type: str
            required: true
          size:
            description: Size of the archive in bytes.
            type: int
            required: true
  url:
    description: Base of a server that answers C(GET {url}/sha256/{digest}).
    type: str
    default: ""
  directory:
    description:
      - Directory on the controller that holds the archive of a digest at C({first two digits}/{digest}).
      - Without it an archive that cannot be fetched is an error.
    type: str
    default: ""
  staged:
    description: Archives that the action plugin sent to the host, by digest. Not for users.
    type: dict
    default: {}
seealso:
  - module: kubexms.cluster.containerd
"""

EXAMPLES = r"""
- name: The pause image is there
  kubexms.cluster.image:
    url: http://192.0.2.10:8080
    images:
      - name: registry.k8s.io/pause:3.10.2
        digest: sha256:57c5dca956463c689197f3a1e0d9048c99879763ee14e7ea71e22fa58d35bc6c
        archive:
          sha256: 0a0e0d2c1d4f4a60ee0c83fb4b3ad41ffcb8de1eb1cd7ccc0ef7c3ff3ac5a1d7
          size: 699392
"""

RETURN = r"""
differences:
  description: Which names were missing or pointed at another manifest.
  returned: success
  type: list
  elements: dict
  sample:
    - path: image registry.k8s.io/pause:3.10.2
      before: ""
      after: sha256:57c5dca95646
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: download-failed
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_images as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
