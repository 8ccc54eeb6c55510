# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things stand in the file, and how a place inside the document is written."""

import re
from dataclasses import dataclass, field

from kubexms.errors import Problem

Path = tuple[str | int, ...]
"""Keys and list indexes from the root of the document."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST_KEY = 100


def dotted(path: Path) -> str:
    """Return a path as people write it: ``spec.hosts[2].labels["example.com/zone"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part)}]"
    return text


def quoted(text: str) -> str:
    """Return text of the user in quotes, shortened and without anything a terminal would act on."""
    short = text if len(text) <= _LONGEST_KEY else text[:_LONGEST_KEY] + "..."
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in short) + '"'


@dataclass
class Places:
    """Line and column, counted from 1, of every key and value of one file.

    ``values`` has scalars where they begin, and mappings and lists where their key stands; ``keys``
    has the keys of mappings.
    """

    file: str
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def problem(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """Return a problem at the value of a path, or at its key; or of its nearest parent that has one."""
        line, column = self._find(path, at_key=at_key)
        return Problem(self.file, line, column, dotted(path), message, hint)

    def _find(self, path: Path, *, at_key: bool) -> tuple[int, int]:
        if at_key and path in self.keys:
            return self.keys[path]
        while path not in self.values:
            if not path:
                return (1, 1)
            path = path[:-1]
        return self.values[path]
