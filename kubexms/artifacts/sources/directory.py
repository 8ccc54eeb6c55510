# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory laid out component/version/os-arch/file, or holding tar archives of that layout.

``SHA256SUMS`` in it lists every file by that path and is what they are verified by; a file that it does
not list is not used. Archives are read as a stream, once: everything listed goes into the cache.
"""

import lzma
import tarfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubexms.artifacts.cache import Claim, Entry, read_chunks, stream_chunks
from kubexms.artifacts.sources import Desk, Outcome, Wanted, sums
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch

SUMS = "SHA256SUMS"
_ARCHIVES = ("*.tar", "*.tar.xz", "*.tar.gz", "*.tgz")
_AT_ONCE = 2
"""Archives unpacked at a time: unpacking leaves Python's lock, so each has a core of its own."""


class DirectorySource:
    """A directory given by the operator."""

    label = "directory"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], desk: Desk) -> Outcome:
        """Compare pinned digests with the listed ones first, then store everything wanted."""
        listed = self.listed()
        for one in wanted:
            digest = listed.get(one.item.name, one.sha256)
            if one.sha256 not in {"", digest}:
                raise DigestMismatch(
                    file=one.item.name, expected=one.sha256, found=digest, source=str(self.directory / SUMS)
                )
        names = [one.item.name for one in wanted if one.item.name in listed]
        entries = self.store(ctx, names, listed, desk)
        outcome = Outcome()
        for one in wanted:
            if one.item.name in entries:
                outcome.found[one.item] = entries[one.item.name]
            elif one.item.name in listed:
                outcome.missing[one.item] = f"listed in {SUMS}, but neither a file nor in an archive"
            else:
                outcome.missing[one.item] = f"not listed in {SUMS}"
        return outcome

    def listed(self) -> dict[str, str]:
        """Return name -> digest of what the directory's checksum list says; empty without a list."""
        try:
            return sums.parse((self.directory / SUMS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as cause:
            raise ArtifactFailed(f"cannot read {self.directory / SUMS}: {cause}") from cause

    def archives(self) -> list[Path]:
        """Return the archives in the directory."""
        return sorted(path for pattern in _ARCHIVES for path in self.directory.glob(pattern))

    def store(
        self, ctx: Context, names: Collection[str], listed: Mapping[str, str], desk: Desk
    ) -> dict[str, Entry]:
        """Put files by these names into the cache, from archives too if any of them is not a plain file."""
        plain = [name for name in names if (self.directory / name).is_file()]
        entries = {name: self._copy(ctx, name, listed[name], desk) for name in plain}
        if len(plain) == len(names):
            return entries
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            for unpacked in pool.map(lambda path: self.unpack(ctx, path, listed, desk), self.archives()):
                entries |= {name: unpacked[name] for name in unpacked.keys() & set(names)}
        return entries

    def _copy(self, ctx: Context, name: str, digest: str, desk: Desk) -> Entry:
        desk.progress.report(f"copy {name}")
        return desk.cache.add(ctx, read_chunks(self.directory / name), Claim(name, self.label, digest))

    def unpack(self, ctx: Context, archive: Path, listed: Mapping[str, str], desk: Desk) -> dict[str, Entry]:
        """Store every listed member of one archive; return name -> entry. Links are not followed."""
        entries: dict[str, Entry] = {}
        source = f"{self.label} ({archive.name})"
        try:
            with tarfile.open(archive, "r|*") as stream:
                for member in stream:
                    name = member.name.removeprefix("./")
                    content = stream.extractfile(member) if name in listed and member.isreg() else None
                    if content is not None:
                        desk.progress.report(f"unpack {name}")
                        claim = Claim(name, source, listed[name])
                        entries[name] = desk.cache.add(ctx, stream_chunks(content), claim)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as cause:
            raise ArtifactFailed(
                f"cannot unpack {archive}: {cause}", hint="copy the archive again"
            ) from cause
        return entries
