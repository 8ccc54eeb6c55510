# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksum lists as publishers write them."""

import re

_DIGEST = re.compile(r"^[0-9a-fA-F]{64}$")


def parse(text: str) -> dict[str, str]:
    """Return name -> SHA-256 of a checksum list in the format of sha256sum(1).

    A list of one digest without a name (dl.k8s.io) maps the empty name. Lines of other forms are ignored.
    """
    sums: dict[str, str] = {}
    for line in text.splitlines():
        digest, _, name = line.strip().partition(" ")
        if _DIGEST.match(digest):
            sums[name.strip().removeprefix("*").removeprefix("./")] = digest.lower()
    return sums


def find(text: str, name: str) -> str | None:
    """Return the digest of ``name`` (a file name without folders) in a checksum list, if it is there."""
    sums = parse(text)
    if name in sums:
        return sums[name]
    for listed, digest in sums.items():
        if listed.rpartition("/")[2] == name:
            return digest
    return sums.get("") if len(sums) == 1 else None
