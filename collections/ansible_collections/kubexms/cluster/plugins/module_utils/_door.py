# SPDX-License-Identifier: GPL-3.0-or-later
"""The door of every stage module: lock, compare, stop when nothing differs, apply, report."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubexms.cluster.plugins.module_utils._command import Client
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._lock import host_lock


def run_stage(stage):
    """Run one stage module to its end (SystemExit by exit_json or fail_json).

    ``stage`` is a module_utils module with ``ARGUMENTS`` (argument spec), ``compare(client, params)``
    that returns Differences without changing anything, and ``apply(client, params, differences)``
    that makes it so and returns further result fields.
    """
    module = AnsibleModule(argument_spec=stage.ARGUMENTS, supports_check_mode=True)
    client = Client(module)
    try:
        if module.check_mode:
            result = _finished(stage.compare(client, module.params))
        else:
            with host_lock(client):
                result = _reach(stage, client, module.params)
    except StageError as error:
        module.fail_json(**error.as_result())
    except OSError as error:
        module.fail_json(**_system_error(error))
    module.exit_json(**result)


def _reach(stage, client, params):
    differences = stage.compare(client, params)
    result = _finished(differences)
    if differences:
        result.update(stage.apply(client, params, differences) or {})
    return result


def _system_error(error):
    """Return the fields of fail_json for what the kernel refused: a full disk, a read-only file system."""
    hint = "see whether the disk is full or read-only, and whether this user may change the file"
    return StageError(str(error), hint=hint, code="system-error").as_result()


def _finished(differences):
    return {
        "changed": bool(differences),
        "differences": list(differences),
        "diff": differences.as_diff(),
    }
