# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``host``: what Kubernetes expects of a machine, part by part."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import (
    _stage_host_identity as identity,
)
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host_modules as modules
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host_names as names
from ansible_collections.kubexms.cluster.plugins.module_utils import (
    _stage_host_packages as packages,
)
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host_swap as swap
from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_host_sysctls as sysctls
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

ARGUMENTS = {
    "cluster": {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "id": {"type": "str", "required": True},
            "fixed": {"type": "dict", "default": {}},
        },
    },
    "hostname": {"type": "str"},
    "hosts": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "address": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
        },
    },
    "sysctls": {"type": "dict", "default": {}},
    "kernel_modules": {"type": "list", "elements": "str", "default": []},
    "swap": {"type": "str", "choices": ["disabled", "unmanaged"], "default": "disabled"},
    "packages": {"type": "list", "elements": "str", "default": []},
}

PARTS = (identity, names, packages, modules, sysctls, swap)
"""In this order: packages may bring kernel modules, which bring kernel parameters.

Each part has ``compare(client, params, differences)``, ``note(params, differences, record)`` that keeps
what is about to change, ``apply(client, params, differences, record)`` and ``revert(client, record)``.
"""


def compare(client, params):
    """Return what of this host is not as wanted."""
    differences = Differences()
    for part in PARTS:
        part.compare(client, params, differences)
    return differences


def apply(client, params, differences):
    """Make it so, after what is there now was kept for :func:`revert`."""
    record = Record()
    for part in PARTS:
        part.note(params, differences, record)
    record.save()
    for part in PARTS:
        part.apply(client, params, differences, record)


def revert(client, record):
    """Leave the host as it was before this stage first changed it; packages stay."""
    for part in reversed(PARTS):
        part.revert(client, record)
    record.forget("host")
