# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that a control plane's static Pods are made from, flat and in an operator's words. Pure.

They are recorded when the Pods are made, because a manifest cannot be read back into settings. Versions
and networks are left out: changing those is not a matter of regenerating a manifest.
"""

from __future__ import annotations

import json

ADDRESSES = ("kube-apiserver advertise address", "kube-apiserver endpoint")
_SECTIONS = {
    "apiServer": "kube-apiserver",
    "controllerManager": "kube-controller-manager",
    "scheduler": "kube-scheduler",
}


def control_plane_inputs(params):
    """Return setting -> text, such as ``kube-apiserver extraArgs.audit-log-maxage`` -> ``30``."""
    configuration = params["cluster_configuration"]
    inputs = dict(zip(ADDRESSES, (params["advertise_address"], params["endpoint"])))
    for section, component in _SECTIONS.items():
        inputs.update(_flat(component, configuration.get(section)))
    inputs.update(_flat("etcd", (configuration.get("etcd") or {}).get("local")))
    for name, value in (configuration.get("featureGates") or {}).items():
        inputs["control plane featureGates." + name] = _text(value)
    return inputs


def _flat(component, section):
    for key, value in (section or {}).items():
        if key in ("extraArgs", "extraEnvs"):
            yield from _pairs("{0} {1}".format(component, key), value)
        else:
            yield "{0} {1}".format(component, key), _text(value)


def _pairs(prefix, items):
    """Yield one setting for each name; a name that is given several times has all its values."""
    values = {}
    for item in items or []:
        values.setdefault(item["name"], []).append(_text(item.get("value", "")))
    for name, texts in values.items():
        yield "{0}.{1}".format(prefix, name), " ".join(texts)


def _text(value):
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
