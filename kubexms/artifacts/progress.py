# SPDX-License-Identifier: GPL-3.0-or-later
"""How long work tells its caller where it is."""

from typing import Protocol


class Progress(Protocol):
    """Where the room reports to. Called from several threads; must be quick and must not raise."""

    def report(self, what: str, done: int = 0, total: int = 0) -> None:
        """Say that ``what`` is under way, at ``done`` of ``total`` bytes (zeros where that is unknown)."""


class Silent:
    """A Progress that tells nobody."""

    def report(self, what: str, done: int = 0, total: int = 0) -> None:
        """Do nothing."""
