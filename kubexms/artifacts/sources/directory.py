# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory laid out component/version/os-arch/file, or holding tar archives of that layout.

``SHA256SUMS`` in it lists every file by that path and is what they are verified by; a file that it does
not list is not used. Archives are read as a stream, once: everything listed goes into the cache.
"""

import lzma
import tarfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubexms.artifacts.cache import Cache, Entry, read_chunks, stream_chunks
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.sources import Outcome, Wanted, sums
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch

SUMS = "SHA256SUMS"
_ARCHIVES = ("*.tar", "*.tar.xz", "*.tar.gz", "*.tgz")


class DirectorySource:
    """A directory given by the operator."""

    def __init__(self, directory: Path, label: str = "directory") -> None:
        self.directory = directory
        self.label = label

    def fetch(self, ctx: Context, wanted: Sequence[Wanted], cache: Cache, progress: Progress) -> Outcome:
        """Take plain files first, then unpack the archives if any listed file is still missing."""
        listed = self._sums()
        outcome = Outcome()
        packed: dict[str, Wanted] = {}
        for one in wanted:
            digest = listed.get(one.item.name)
            if digest is None:
                outcome.missing[one.item] = f"not listed in {SUMS}"
                continue
            if one.sha256 not in {"", digest}:
                raise DigestMismatch(file=one.item.name, expected=one.sha256, found=digest, source=self.label)
            plain = self.directory / one.item.name
            if plain.is_file():
                outcome.found[one.item] = self._copy(ctx, plain, one, digest, cache, progress)
            else:
                packed[one.item.name] = one
        if packed:
            self._from_archives(ctx, packed, listed, cache, progress, outcome)
        return outcome

    def _sums(self) -> dict[str, str]:
        try:
            return sums.parse((self.directory / SUMS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as cause:
            raise ArtifactFailed(f"cannot read {self.directory / SUMS}: {cause}") from cause

    def _copy(
        self, ctx: Context, plain: Path, one: Wanted, digest: str, cache: Cache, progress: Progress
    ) -> Entry:
        progress.report(f"copy {one.item.name}")
        return cache.add(ctx, read_chunks(plain), name=one.item.name, source=self.label, expected=digest)

    def _from_archives(
        self,
        ctx: Context,
        packed: dict[str, Wanted],
        listed: dict[str, str],
        cache: Cache,
        progress: Progress,
        outcome: Outcome,
    ) -> None:
        archives = sorted(path for pattern in _ARCHIVES for path in self.directory.glob(pattern))
        unpacked: dict[str, Entry] = {}
        with ThreadPoolExecutor(max_workers=2) as pool:
            for entries in pool.map(lambda path: self._unpack(ctx, path, listed, cache, progress), archives):
                unpacked.update(entries)
        for name, one in packed.items():
            if name in unpacked:
                outcome.found[one.item] = unpacked[name]
            else:
                outcome.missing[one.item] = f"listed in {SUMS}, but neither a file nor in an archive"

    def _unpack(
        self, ctx: Context, archive: Path, listed: dict[str, str], cache: Cache, progress: Progress
    ) -> dict[str, Entry]:
        """Store every listed member of one archive; return name -> entry."""
        entries: dict[str, Entry] = {}
        source = f"{self.label} ({archive.name})"
        try:
            with tarfile.open(archive, "r|*") as stream:
                for member in stream:
                    name = member.name.removeprefix("./")
                    content = stream.extractfile(member) if name in listed and member.isreg() else None
                    if content is None:
                        continue
                    progress.report(f"unpack {name}")
                    entries[name] = cache.add(
                        ctx, stream_chunks(content), name=name, source=source, expected=listed[name]
                    )
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as cause:
            raise ArtifactFailed(
                f"cannot unpack {archive}: {cause}", hint="copy the archive again"
            ) from cause
        return entries
