# SPDX-License-Identifier: GPL-3.0-or-later
"""The publishers' own locations, each file or archive verified by the publisher's checksum."""

import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubexms.artifacts.cache import Claim, Entry, stream_chunks
from kubexms.artifacts.catalogue import Official, Selection
from kubexms.artifacts.download import Download, downloaded
from kubexms.artifacts.model import Item
from kubexms.artifacts.sources import Desk, Outcome, Wanted, sums
from kubexms.artifacts.sources.remote import fetch_each
from kubexms.artifacts.web import text
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch, NotFound


@dataclass(frozen=True)
class _Location:
    """One URL and what is wanted of it; ``members`` maps names in the archive, empty for a plain file."""

    url: str
    checksum: str
    wanted: tuple[Wanted, ...]
    members: dict[str, Wanted]


class OfficialSource:
    """Downloads from where the catalogue says that the publisher has a component."""

    label = "publisher"

    def __init__(self, selection: Selection) -> None:
        self.selection = selection

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Download each location once, several at a time, and take from it what is wanted."""
        locations, outcome = self._locations(wanted)
        fetched = fetch_each(
            locations,
            lambda location: location.url,
            lambda location: [one.item for one in location.wanted],
            lambda location: _fetch(ctx, location, desk),
        )
        outcome.found |= fetched.found
        outcome.missing |= fetched.missing
        return outcome

    def _locations(self, wanted: Sequence[Wanted]) -> tuple[list[_Location], Outcome]:
        """Group what is wanted by URL."""
        outcome = Outcome()
        groups: dict[str, tuple[Official, list[Wanted]]] = {}
        for one in wanted:
            official = self.selection.components[one.item.component].official
            if official is None:
                outcome.missing[one.item] = "not published with a checksum"
            else:
                groups.setdefault(_fill(official.url, one.item), (official, []))[1].append(one)
        locations = [
            _Location(
                url=url,
                checksum=_fill(official.checksum, ones[0].item),
                wanted=tuple(ones),
                members={_fill(official.member, one.item): one for one in ones} if official.member else {},
            )
            for url, (official, ones) in groups.items()
        ]
        return locations, outcome


def _fill(template: str, item: Item) -> str:
    """Return a template of the catalogue for one item."""
    bare = item.version.removeprefix("v")
    return template.format(version=item.version, bare=bare, arch=item.arch, file=item.file)


def _fetch(ctx: Context, location: _Location, desk: Desk) -> dict[Item, Entry]:
    file = location.url.rpartition("/")[2]
    digest = sums.find(text(ctx, location.checksum), file)
    if digest is None:
        raise NotFound(f"{location.checksum} has no checksum of {file}")
    one = location.wanted[0]
    if not location.members and one.sha256 not in {"", digest}:
        raise DigestMismatch(file=one.item.name, expected=one.sha256, found=digest, source=location.checksum)
    wanted = Download(file, location.url, digest, desk.cache.partial)
    with downloaded(ctx, wanted, desk.progress) as path:
        if location.members:
            return _extract(ctx, path, location, desk)
        return {one.item: desk.cache.take(ctx, path, Claim(one.item.name, location.url, digest))}


def _extract(ctx: Context, archive: Path, location: _Location, desk: Desk) -> dict[Item, Entry]:
    """Take the wanted members out of a verified archive."""
    entries: dict[Item, Entry] = {}
    members = {name.removeprefix("./"): one for name, one in location.members.items()}
    try:
        with tarfile.open(archive, "r|*") as stream:
            for member in stream:
                one = members.get(member.name.removeprefix("./"))
                content = stream.extractfile(member) if one is not None and member.isreg() else None
                if one is not None and content is not None:
                    claim = Claim(one.item.name, location.url, one.sha256)
                    entries[one.item] = desk.cache.add(ctx, stream_chunks(content), claim)
    except (tarfile.TarError, zlib.error, EOFError) as cause:
        raise ArtifactFailed(f"cannot unpack {location.url}: {cause}") from cause
    return entries
