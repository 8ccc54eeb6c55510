# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap, off now and at boot. Lines of fstab are commented with a marker, so that they can come back."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_mode, read_text, write_text

PROC_SWAPS = "/proc/swaps"
FSTAB = "/etc/fstab"
MARKER = "# disabled by kubexms: "
_PREFIX = "swap "


def parse_swaps(text):
    """Return the devices and files in /proc/swaps; the kernel writes blanks in names as \\040."""
    return [line.split()[0].replace("\\040", " ") for line in text.splitlines()[1:] if line.strip()]


def is_swap_line(line):
    """Return whether a line of fstab(5) has swap switched on at boot."""
    fields = line.split()
    return len(fields) >= 3 and not fields[0].startswith("#") and fields[2] == "swap"


def disabled(text):
    """Return the text of fstab with its swap lines commented."""
    lines = text.splitlines(keepends=True)
    return "".join(MARKER + line if is_swap_line(line) else line for line in lines)


def enabled(text):
    """Return the text of fstab with what :func:`disabled` commented switched on again."""
    lines = text.splitlines(keepends=True)
    return "".join(line.removeprefix(MARKER) for line in lines)


def compare(client, params, differences):  # noqa: ARG001 - every part has this signature
    """Record swap that is in use or comes with the next boot."""
    if params["swap"] != "disabled":
        return
    for name in parse_swaps(read_text(PROC_SWAPS) or ""):
        differences.add(_PREFIX + name, "on", "off")
    found = read_text(FSTAB) or ""
    if disabled(found) != found:
        count = sum(map(is_swap_line, found.splitlines()))
        differences.add(FSTAB, "{0} swap lines".format(count), "commented")


def note(params, differences, record):
    """Keep which swap was in use."""
    if params["swap"] == "disabled" and differences.touches(_PREFIX):
        record.remember("host", "swaps", parse_swaps(read_text(PROC_SWAPS) or ""))


def apply(client, params, differences, record):  # noqa: ARG001
    """Switch swap off."""
    if differences.has(FSTAB):
        write_text(FSTAB, disabled(read_text(FSTAB) or ""), read_mode(FSTAB) or "0644")
    if differences.touches(_PREFIX):
        client.run(
            ["swapoff", "--all"],
            seconds=600,
            hint="swapped pages must fit into memory: stop what uses it, or set swap to unmanaged",
        )


def revert(client, record):
    """Switch on what was on before."""
    found = read_text(FSTAB) or ""
    if enabled(found) != found:
        write_text(FSTAB, enabled(found), read_mode(FSTAB) or "0644")
    for name in record.prior("host").get("swaps", []):
        if name not in parse_swaps(read_text(PROC_SWAPS) or ""):
            client.run(["swapon", name], check=False)
