#!/usr/bin/python
# Copyright: kubexms maintainers
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: artifact
short_description: Place files by their SHA-256
version_added: 0.1.0
description:
  - Places binaries whose bytes are pinned. A file that is there with the right digest is not sent again.
  - The host fetches what it lacks over HTTP, several files at once, and goes on with a file that broke off.
    What it cannot fetch is sent from O(directory) on the controller over Ansible's connection.
  - Every byte is verified before the file takes its place, by a rename. A wrong digest places nothing.
extends_documentation_fragment:
  - kubexms.cluster._attributes
author:
  - kubexms maintainers (@kubexms)
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where the file lies on the host.
        type: path
        required: true
      sha256:
        description: SHA-256 of its bytes, in hexadecimal digits.
        type: str
        required: true
      size:
        description: Its size in bytes.
        type: int
        required: true
      mode:
        description: Its permission bits, in octal digits.
        type: str
        default: "0755"
  url:
    description: Base of a server that answers C(GET {url}/sha256/{digest}).
    type: str
    default: ""
  directory:
    description:
      - Directory on the controller that holds the file of a digest at C({first two digits}/{digest}).
      - Without it a file that cannot be fetched is an error.
    type: str
    default: ""
  staged:
    description: Files that the action plugin sent to the host, by digest. Not for users.
    type: dict
    default: {}
seealso:
  - module: kubexms.cluster.image
"""

EXAMPLES = r"""
- name: The kubelet is in place
  kubexms.cluster.artifact:
    url: http://192.0.2.10:8080
    files:
      - path: /usr/local/bin/kubelet
        sha256: 647733f036e39f095a39d08637c5343c0a0a572a2708e21201227cfe92914308
        size: 84426914
"""

RETURN = r"""
differences:
  description: Which files were missing or other ones, by their digest.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /usr/local/bin/kubelet
      before: ""
      after: sha256:647733f036e3
code:
  description: Kind of the failure, stable and meant for machines.
  returned: failure
  type: str
  sample: digest-mismatch
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

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_files as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
