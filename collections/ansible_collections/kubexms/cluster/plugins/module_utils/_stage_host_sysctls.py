# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel parameters, in force and at boot. Read and written below /proc/sys, without a process."""

from __future__ import annotations

import os

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import PreflightError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import (
    compare_text,
    read_text,
    remove,
    settle_text,
)

PATH = "/etc/sysctl.d/99-kubexms.conf"
PROC_SYS = "/proc/sys"
_PREFIX = "sysctl "


def location(key):
    """Return the path of a parameter, by the rule of sysctl.d(5).

    Dots and slashes change places when the first separator is a dot, so that an interface name with
    a dot in it can be written.
    """
    first = next((letter for letter in key if letter in "./"), ".")
    parts = key.translate(str.maketrans("./", "/.")) if first == "." else key
    return os.path.join(PROC_SYS, parts)


def normal(value):
    """Return a value with its white space made equal: the kernel prints tabs between numbers."""
    return " ".join(str(value).split())


def _text(params):
    items = sorted(params["sysctls"].items())
    lines = ["{0} = {1}\n".format(key, normal(value)) for key, value in items]
    return "# Managed by kubexms.\n" + "".join(lines) if lines else None


def compare(client, params, differences):  # noqa: ARG001 - every part has this signature
    """Record parameters that differ.

    A parameter that the kernel does not have is refused, unless a module is yet to be loaded.
    """
    loading = differences.touches("kernel module ")
    for key, value in sorted(params["sysctls"].items()):
        found = read_text(location(key))
        if found is None and not loading:
            raise _unknown(key)
        differences.compare(_PREFIX + key, normal(found or ""), normal(value))
    compare_text(differences, PATH, _text(params))


def _unknown(key):
    return PreflightError(
        "this kernel has no parameter {0} ({1} does not exist)".format(key, location(key)),
        hint="name the kernel module that brings it, correct the name, or take it out",
    )


def note(params, differences, record):
    """Keep the values that are going to change."""
    for key in sorted(params["sysctls"]):
        found = read_text(location(key))
        if found is not None and differences.has(_PREFIX + key):
            record.remember("host", _PREFIX + key, normal(found))


def apply(client, params, differences, record):  # noqa: ARG001
    """Set the values and keep them for the next boot."""
    settle_text(differences, PATH, _text(params))
    for key, value in sorted(params["sysctls"].items()):
        if differences.has(_PREFIX + key):
            _set(key, normal(value))


def _set(key, value):
    path = location(key)
    if not os.path.exists(path):
        raise _unknown(key)
    try:
        with open(path, "w", encoding="ascii") as handle:
            handle.write(value)
    except OSError as error:
        raise PreflightError(
            "kernel parameter {0} cannot be set to {1!r}: {2}".format(key, value, error.strerror),
            hint="see whether the value is in range, and whether the host is a container",
        ) from error


def revert(client, record):  # noqa: ARG001
    """Put back the values that were in force before."""
    remove(PATH)
    for key, value in record.prior("host").items():
        name = key[len(_PREFIX) :]
        if key.startswith(_PREFIX) and os.path.exists(location(name)):
            _set(name, value)
