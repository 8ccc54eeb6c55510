# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a machine, read from files of the kernel and the system; one program (ip) is called."""

from __future__ import annotations

import json
import os
import re
import time

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text

MACHINE_ID = "/etc/machine-id"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
MEMINFO = "/proc/meminfo"
OS_RELEASE = "/etc/os-release"


def facts(client):
    """Return who the machine is and what it has; sizes in bytes, ``time`` in seconds since the epoch."""
    system = os.uname()
    memory = parse_meminfo(read_text(MEMINFO) or "")
    return {
        "machine_id": (read_text(MACHINE_ID) or "").strip(),
        "boot_id": (read_text(BOOT_ID) or "").strip(),
        "hostname": system.nodename,
        "architecture": system.machine,
        "distribution": parse_os_release(read_text(OS_RELEASE) or ""),
        "kernel": system.release,
        "cpus": os.cpu_count(),
        "memory_bytes": memory.get("MemTotal", 0),
        "swap_bytes": memory.get("SwapTotal", 0),
        "addresses": parse_addresses(client.run(["ip", "-json", "address", "show"]).stdout),
        "time": time.time(),
    }


def parse_meminfo(text):
    """Return the fields of /proc/meminfo in bytes (the kernel writes kB, see proc(5))."""
    found = re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)
    return {name: int(value) * 1024 for name, value in found}


def parse_os_release(text):
    """Return ``id`` and ``version`` of the distribution (os-release(5))."""
    found = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', text, re.MULTILINE))
    return {"id": found.get("ID", ""), "version": found.get("VERSION_ID", "")}


def parse_addresses(text):
    """Return the addresses in the output of ``ip -json address show``, those of the loopback left out."""
    return [
        address["local"]
        for link in json.loads(text or "[]")
        for address in link.get("addr_info", [])
        if address.get("scope") == "global"
    ]
