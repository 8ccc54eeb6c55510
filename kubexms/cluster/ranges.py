# SPDX-License-Identifier: GPL-3.0-or-later
"""Host ranges: ``node[1:3]`` is node1, node2, node3; ``node[01:12]`` keeps the leading zeros."""

import re

MAX_HOSTS = 5000
"""Most hosts of a cluster, and so of a range: what Kubernetes is built for."""

_RANGE = re.compile(r"([^\[\]]*)\[([0-9]{1,9}):([0-9]{1,9})\]([^\[\]]*)")


def length(pattern: str) -> int:
    """Return how many names a pattern stands for.

    Raises ValueError, with what is wrong, for a range that is malformed, backwards or too long.
    """
    if "[" not in pattern and "]" not in pattern:
        return 1
    match = _RANGE.fullmatch(pattern)
    if not match:
        raise ValueError("is not a range")
    count = int(match[3]) - int(match[2]) + 1
    if count < 1:
        raise ValueError("is a range that ends before it begins")
    if count > MAX_HOSTS:
        raise ValueError(f"is a range of more than {MAX_HOSTS} hosts")
    return count


def expand(pattern: str) -> tuple[str, ...]:
    """Return the names that a pattern stands for, in order; a name stands for itself. Raises ValueError."""
    count = length(pattern)
    match = _RANGE.fullmatch(pattern)
    if not match:
        return (pattern,)
    before, first, _, after = match.groups()
    width = len(first) if first.startswith("0") else 0
    return tuple(f"{before}{int(first) + index:0{width}d}{after}" for index in range(count))
