# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this host by name, from /proc: proc(5)."""

from __future__ import annotations

import os

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text

PROC = "/proc"
_NAME_LENGTH = 15


def processes(name):
    """Return pid -> arguments of the processes that run a program called ``name``."""
    pids = [pid for pid in os.listdir(PROC) if pid.isdigit()]
    named = [pid for pid in pids if _read(pid, "comm").strip() == name[:_NAME_LENGTH]]
    return {pid: _read(pid, "cmdline").split("\0") for pid in named}


def _read(pid, name):
    try:
        return read_text(os.path.join(PROC, pid, name)) or ""
    except ProcessLookupError:  # it ended between the two looks
        return ""
