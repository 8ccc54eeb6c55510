#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet
"""

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_kubelet as stage
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage


def main():
    run_stage(stage)


if __name__ == "__main__":
    main()
