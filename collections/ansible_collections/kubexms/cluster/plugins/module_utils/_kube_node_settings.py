# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between a Node object and the settings it is to have, and the patch for that. Pure.

The keys set here are kept in the annotation ``kubexms.io/managed`` as JSON: ``labels`` and
``annotations`` (keys) and ``taints`` (``key:effect``). A key of it that is no longer wanted is removed;
keys that are not in it belong to others and stay.
"""

from __future__ import annotations

import json
from typing import NamedTuple

ANNOTATION = "kubexms.io/managed"
_KINDS = ("labels", "annotations", "taints")


class Change(NamedTuple):
    """One setting that differs; ``before`` and ``after`` are None where there is none."""

    setting: str
    before: object
    after: object


def changes(existing, wanted):
    """Return the Changes that make the Node ``existing`` (None: not there yet) have what is ``wanted``."""
    found = _found(existing)
    listed = []
    for kind in _KINDS:
        for key, after in _targets(kind, existing, wanted).items():
            before = found[kind].get(key)
            if before != after:
                listed.append(Change("{0} {1}".format(kind[:-1], key), before, after))
    return listed


def patch(existing, wanted):
    """Return the merge patch that makes ``existing`` have what is ``wanted``.

    Taints are one list, so their patch names the version it was made from: a concurrent change by a
    controller lets it fail with a conflict instead of being undone.
    """
    metadata = {
        "labels": _targets("labels", existing, wanted),
        "annotations": dict(
            _targets("annotations", existing, wanted), **{ANNOTATION: json.dumps(_owned(wanted))}
        ),
    }
    taints = dict(_found(existing)["taints"])
    before = dict(taints)
    for key, value in _targets("taints", existing, wanted).items():
        if value is None:
            taints.pop(key, None)
        else:
            taints[key] = value
    if taints == before:
        return {"metadata": metadata}
    metadata["resourceVersion"] = existing["metadata"]["resourceVersion"]
    return {"metadata": metadata, "spec": {"taints": [_taint(*item) for item in sorted(taints.items())]}}


def _targets(kind, existing, wanted):
    """Return key -> value to have; None for a key that is ours and no longer wanted."""
    annotation = _found(existing)["annotations"].get(ANNOTATION, "{}")
    targets = dict.fromkeys(json.loads(annotation).get(kind, []))
    targets.update(_wanted(wanted)[kind])
    return targets


def _owned(wanted):
    return {kind: sorted(keys) for kind, keys in _wanted(wanted).items() if keys}


def _wanted(node):
    return {
        "labels": {key: _text(value) for key, value in node["labels"].items()},
        "annotations": {key: _text(value) for key, value in node["annotations"].items()},
        "taints": _by_key(node["taints"]),
    }


def _found(existing):
    existing = existing or {}
    metadata = existing.get("metadata", {})
    return {
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "taints": _by_key(existing.get("spec", {}).get("taints") or []),
    }


def _by_key(taints):
    return {"{key}:{effect}".format(**taint): taint.get("value") or "" for taint in taints}


def _taint(key, value):
    name, effect = key.rsplit(":", 1)
    return {"key": name, "effect": effect, "value": value}


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)
