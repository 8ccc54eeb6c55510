# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the plan needs of a host, in one read: facts, membership, and each stage's own compare."""

from __future__ import annotations

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.kubexms.cluster.plugins.module_utils import (
    _stage_addons,
    _stage_control_plane,
    _stage_files,
    _stage_host,
    _stage_images,
    _stage_init,
    _stage_join,
    _stage_kubelet,
    _stage_nodes,
    _stage_reset,
    _stage_runtime,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._probe_certificates import certificates
from ansible_collections.kubexms.cluster.plugins.module_utils._probe_facts import facts
from ansible_collections.kubexms.cluster.plugins.module_utils._probe_kubernetes import (
    control_plane,
    kubernetes,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_host_identity import read_identity

SCHEMA = 1

STAGES = {
    "host": _stage_host,
    "files": _stage_files,
    "runtime": _stage_runtime,
    "images": _stage_images,
    "kubelet": _stage_kubelet,
    "init": _stage_init,
    "addons": _stage_addons,
    "join": _stage_join,
    "control-plane": _stage_control_plane,
    "nodes": _stage_nodes,
    "reset": _stage_reset,
}
"""Stage -> what compares it. The same code decides in the stage's own module."""


def observe(client, stages):
    """Return the observation of this host; ``stages`` maps a stage's name to its parameters.

    A stage that cannot be compared has an error in its place; the others are not touched by it.
    """
    identity = read_identity()
    membership = kubernetes(client, identity)
    return {
        "schema": SCHEMA,
        "facts": facts(client),
        "cluster": identity,
        "kubernetes": membership,
        "control_plane": control_plane() if membership["control_plane"] else None,
        "certificates": certificates(),
        "stages": {name: _look(client, name, parameters) for name, parameters in stages.items()},
    }


def _look(client, name, parameters):
    try:
        wanted = validated(name, parameters)
        differences = STAGES[name].compare(client, wanted)
    except StageError as error:
        return {"differences": [], "error": error.as_result()}
    except OSError as error:
        return {"differences": [], "error": StageError(str(error), code="system-error").as_result()}
    return {"differences": list(differences), "error": None}


def validated(name, parameters):
    """Return a stage's parameters with defaults, as the stage's own module would have them."""
    if name not in STAGES:
        raise StageError(
            "there is no stage {0!r}; there are {1}".format(name, ", ".join(STAGES)), code="invalid-input"
        )
    result = ArgumentSpecValidator(STAGES[name].ARGUMENTS).validate(parameters)
    if result.error_messages:
        raise StageError(
            "the variable of stage {0} is not as it must be: {1}".format(
                name, "; ".join(result.error_messages)
            ),
            code="invalid-input",
            hint="see the argument specification of the stage's role",
        )
    return result.validated_parameters
