# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel modules: loaded now and at boot.

A module counts as there when it is loaded, built into the kernel, or when what it gives is there: a
kernel without loadable modules has neither /proc/modules nor /lib/modules.
"""

from __future__ import annotations

import os

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError, PreflightError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import (
    compare_text,
    read_text,
    remove,
    settle_text,
)

PATH = "/etc/modules-load.d/kubexms.conf"
PROC = "/proc"
SYS_MODULE = "/sys/module"
LIB_MODULES = "/lib/modules"
_PREFIX = "kernel module "
_EFFECTS = {
    "br_netfilter": "sys/net/bridge/bridge-nf-call-iptables",
    "ip_vs": "net/ip_vs",
    "nf_conntrack": "sys/net/netfilter/nf_conntrack_max",
}
"""Module -> a path below /proc that exists when the kernel can do what the module is for."""


def _text(params):
    names = params["kernel_modules"]
    return "# Managed by kubexms.\n" + "".join(name + "\n" for name in names) if names else None


def missing(names):
    """Return those of ``names`` that are not there, in order."""
    loaded = {line.split()[0] for line in _lines(os.path.join(PROC, "modules"))}
    filesystems = {line.split()[-1] for line in _lines(os.path.join(PROC, "filesystems"))}
    built_in = {
        os.path.basename(line).split(".")[0].replace("-", "_")
        for line in _lines(os.path.join(LIB_MODULES, os.uname().release, "modules.builtin"))
    }
    there = loaded | filesystems | built_in
    return [name for name in names if name.replace("-", "_") not in there and not _works(name)]


def _works(name):
    module = name.replace("-", "_")
    effect = _EFFECTS.get(module)
    return os.path.isdir(os.path.join(SYS_MODULE, module)) or bool(
        effect and os.path.exists(os.path.join(PROC, effect))
    )


def _lines(path):
    return [line for line in (read_text(path) or "").splitlines() if line.strip()]


def compare(client, params, differences):  # noqa: ARG001 - every part has this signature
    """Record modules that are not there; refuse a kernel that cannot load any."""
    absent = missing(params["kernel_modules"])
    if absent and not os.path.isdir(os.path.join(LIB_MODULES, os.uname().release)):
        raise PreflightError(
            "kernel {0} lacks {1} and has no modules to load".format(os.uname().release, ", ".join(absent)),
            hint="boot a kernel that has it, or reboot if the kernel's package was replaced",
        )
    for name in absent:
        differences.add(_PREFIX + name, "absent", "loaded")
    compare_text(differences, PATH, _text(params))


def note(params, differences, record):
    """Modules stay loaded on reset: others may have come to use them."""


def apply(client, params, differences, record):  # noqa: ARG001
    """Load what is absent and have it loaded at boot."""
    absent = missing(params["kernel_modules"]) if differences.touches(_PREFIX) else []
    for name in absent:
        _load(client, name)
    settle_text(differences, PATH, _text(params))


def _load(client, name):
    try:
        client.run(["modprobe", name])
    except CommandError as error:
        raise PreflightError(
            "kernel module {0} cannot be loaded: {1}".format(name, error.tail[-1] if error.tail else error),
            hint="install the distribution's package of extra kernel modules, or boot a kernel that has it",
            tail=error.tail,
        ) from error


def revert(client, record):  # noqa: ARG001
    """Load nothing at boot any more."""
    remove(PATH)
