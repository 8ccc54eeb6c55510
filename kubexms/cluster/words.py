# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that the user may have meant."""

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice

_LONGEST = 64
_MOST = 200
"""Longest name, and most candidates, that are compared: comparing takes long."""


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return ``did you mean X?`` for the known name nearest to one that is not known, or None."""
    if len(name) > _LONGEST:
        return None
    close = get_close_matches(name, islice(known, _MOST), n=1)
    return f"did you mean {close[0]}?" if close else None
