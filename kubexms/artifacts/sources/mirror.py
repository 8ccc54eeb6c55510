# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror: a base URL with files laid out component/version/os-arch/file and a SHA256SUMS beside."""

from collections.abc import Sequence

from kubexms.artifacts.cache import Claim, Entry
from kubexms.artifacts.download import Download, downloaded
from kubexms.artifacts.model import Item
from kubexms.artifacts.sources import Desk, Outcome, Wanted, sums
from kubexms.artifacts.sources.directory import SUMS
from kubexms.artifacts.sources.remote import fetch_each
from kubexms.artifacts.web import text
from kubexms.context import Context
from kubexms.errors import ConnectionFailed, DigestMismatch, NotFound


class MirrorSource:
    """A mirror given by the operator. A file that its list does not name must be pinned by the lock."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    @property
    def label(self) -> str:
        """Return the mirror's address."""
        return f"mirror {self.base}"

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Download the wanted files, several at a time."""
        try:
            listed = sums.parse(text(ctx, f"{self.base}/{SUMS}"))
        except NotFound:
            listed = {}
        except ConnectionFailed as cause:
            return Outcome(missing={one.item: cause.message for one in wanted})

        def fetch(one: Wanted) -> dict[Item, Entry]:
            return {one.item: self._one(ctx, one, listed.get(one.item.name, ""), desk)}

        return fetch_each(wanted, self._url, lambda one: (one.item,), fetch)

    def _url(self, one: Wanted) -> str:
        return f"{self.base}/{one.item.name}"

    def _one(self, ctx: Context, one: Wanted, listed: str, desk: Desk) -> Entry:
        digest = one.sha256 or listed
        if not digest:
            raise NotFound(f"not listed in {self.base}/{SUMS}, and not pinned")
        if listed not in {"", digest}:
            raise DigestMismatch(file=one.item.name, expected=digest, found=listed, source=self.label)
        wanted = Download(one.item.name, self._url(one), digest, desk.cache.partial)
        with downloaded(ctx, wanted, desk.progress) as path:
            return desk.cache.take(ctx, path, Claim(one.item.name, self.label, digest))
