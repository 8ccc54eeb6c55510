# SPDX-License-Identifier: GPL-3.0-or-later
"""Host ranges: ``node[1:3]`` is node1, node2, node3; ``node[01:12]`` keeps the leading zeros."""

import re

MAX_RANGE = 5000
"""Most hosts that one range may stand for."""

_RANGE = re.compile(r"([^\[\]]*)\[([0-9]{1,9}):([0-9]{1,9})\]([^\[\]]*)")


def expand(pattern: str) -> tuple[str, ...]:
    """Return the names that a pattern stands for, in order; a name stands for itself.

    Raises ValueError, with what is wrong, for a range that is malformed, backwards or too long.
    """
    if "[" not in pattern and "]" not in pattern:
        return (pattern,)
    match = _RANGE.fullmatch(pattern)
    if not match:
        raise ValueError("is not a range such as node[1:3]")
    before, first, last, after = match.groups()
    low, high = int(first), int(last)
    if high < low:
        raise ValueError("is a range that ends before it begins")
    if high - low >= MAX_RANGE:
        raise ValueError(f"is a range of more than {MAX_RANGE} hosts")
    width = len(first) if first.startswith("0") else 0
    return tuple(f"{before}{number:0{width}d}{after}" for number in range(low, high + 1))
