# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between wanted and found. One object feeds changed, the diff and the plan's reasons."""

from __future__ import annotations


class Differences:
    """An ordered list of (path, before, after), all text; ``path`` names a thing as an operator would.

    ``before`` is empty where the thing does not exist, ``after`` is empty where it is to go.
    Secret values are recorded by :meth:`add_secret`, which keeps neither side.
    """

    def __init__(self):
        self.items = []

    def __bool__(self):
        return bool(self.items)

    def __iter__(self):
        return iter(self.items)

    def add(self, path, before, after):
        """Record that ``path`` is ``before`` and is to be ``after``."""
        self.items.append({"path": path, "before": _text(before), "after": _text(after)})

    def compare(self, path, before, after):
        """Record a difference where there is one; return whether there is."""
        if _text(before) == _text(after):
            return False
        self.add(path, before, after)
        return True

    def add_secret(self, path):
        """Record that a secret thing differs, without its value."""
        self.items.append({"path": path, "before": "(hidden)", "after": "(hidden, changed)"})

    def touches(self, prefix):
        """Return whether any path starts with ``prefix``."""
        return any(item["path"].startswith(prefix) for item in self.items)

    def as_diff(self):
        """Return the before and after texts that Ansible's --diff prints."""
        return {
            "before": "".join("{path}: {before}\n".format(**item) for item in self.items),
            "after": "".join("{path}: {after}\n".format(**item) for item in self.items),
        }


def _text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
