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
        self._texts = {}

    def __bool__(self):
        return bool(self.items)

    def __iter__(self):
        return iter(self.items)

    def add(self, path, before, after):
        """Record that ``path`` is ``before`` and is to be ``after``."""
        self.items.append({"path": path, "before": _text(before), "after": _text(after)})

    def add_text(self, path, before, after):
        """Keep the whole texts of a file that differs, for the diff alone; either is None for no file."""
        self._texts[path] = (before, after)

    def compare(self, path, before, after):
        """Record a difference where there is one; return whether there is."""
        if _text(before) == _text(after):
            return False
        self.add(path, before, after)
        return True

    def compare_digest(self, path, before, after):
        """Compare whole digests, such as ``sha256:...``, and record their first twelve digits."""
        if before == after:
            return False
        self.add(path, _short(before), _short(after))
        return True

    def add_secret(self, path):
        """Record that a secret thing differs, without its value."""
        self.items.append({"path": path, "before": "(hidden)", "after": "(hidden, changed)"})

    def has(self, path):
        """Return whether ``path`` differs."""
        return any(item["path"] == path for item in self.items)

    def touches(self, prefix):
        """Return whether any path starts with ``prefix``."""
        return any(item["path"].startswith(prefix) for item in self.items)

    def as_diff(self):
        """Return the before and after texts that Ansible's --diff prints."""
        return {
            "before": "".join(self._shown(item["path"], item["before"], 0) for item in self.items),
            "after": "".join(self._shown(item["path"], item["after"], 1) for item in self.items),
        }

    def _shown(self, path, value, side):
        text = self._texts[path][side] if path in self._texts else None
        if text is None:
            return "{0}: {1}\n".format(path, value)
        return "{0}:\n{1}".format(path, "".join("    " + line + "\n" for line in text.splitlines()))


def _short(digest):
    return digest[: len("sha256:") + 12]


def _text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
