# SPDX-License-Identifier: GPL-3.0-or-later
"""The content-addressed cache: blobs by digest, and an index from names to digests.

Layout below the cache directory::

    blobs/sha256/ab/abcdef...    the bytes; this folder is what hosts are served from
    index/<name>.json            the Entry of a name
    partial/                     files being written or downloaded

A blob gets its name only after its digest is known, by one rename, so readers never see half of it.
Many processes may use one cache: every index entry is a file of its own, replaced whole.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name stands for: a blob, how it looked when it was known to be whole, where it came from.

    Of an image archive, ``manifest`` is the digest of the image and ``content`` that of its configuration,
    which names the layers' content and so does not depend on how they are packed.
    """

    sha256: str
    size: int
    mtime_ns: int
    source: str
    manifest: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What bytes are said to be: their name, their source and, where it is known, their digest."""

    name: str
    source: str
    sha256: str = ""
    manifest: str = ""
    content: str = ""


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's content in pieces."""
    with path.open("rb") as stream:
        yield from stream_chunks(stream)


def stream_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of a stream in pieces."""
    while piece := stream.read(CHUNK):
        yield piece


def file_digest(ctx: Context, path: Path) -> str:
    """Return the hexadecimal SHA-256 digest of a file."""
    digest = hashlib.sha256()
    for piece in read_chunks(path):
        ctx.check()
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def disk_faults(root: Path) -> Iterator[None]:
    """Turn what the file system refuses into an ArtifactFailed that says what to do."""
    try:
        yield
    except OSError as cause:
        raise ArtifactFailed(
            f"cannot read or write artifacts: {cause}", hint=f"check permissions and free space of {root}"
        ) from cause


class Cache:
    """A cache below ``root``; folders are made on first use, for their owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs" / "sha256"
        self.partial = root / "partial"
        self._index = root / "index"

    def path(self, sha256: str) -> Path:
        """Return where the blob of a digest lies, or would lie."""
        return self.blobs / sha256[:2] / sha256

    def add(self, ctx: Context, pieces: Iterable[bytes], claim: Claim) -> Entry:
        """Store ``pieces`` under their digest; if it is not the claimed one, store nothing and raise."""
        with self.temporary() as (stream, temporary):
            digest = hashlib.sha256()
            for piece in pieces:
                ctx.check()
                digest.update(piece)
                stream.write(piece)
            stream.flush()
            return self._keep(temporary, digest.hexdigest(), claim)

    def take(self, ctx: Context, file: Path, claim: Claim) -> Entry:
        """Move a file on the cache's file system into it, with the same check."""
        return self._keep(file, file_digest(ctx, file), claim)

    def name(self, sha256: str, claim: Claim) -> Entry:
        """Record what the name of ``claim`` stands for: a blob that is already here and known to be whole."""
        status = self.path(sha256).stat()
        entry = Entry(sha256, status.st_size, status.st_mtime_ns, claim.source, claim.manifest, claim.content)
        self._record(claim.name, entry)
        return entry

    def lookup(self, ctx: Context, name: str) -> Entry | None:
        """Return a name's entry if its blob is here and whole.

        A blob with the recorded size and mtime is trusted; another one is hashed again and kept only if
        it still has its digest.
        """
        entry = self._read(name)
        if entry is None:
            return None
        try:
            status = self.path(entry.sha256).stat()
        except FileNotFoundError:
            return None
        if (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns):
            return entry
        if not self.whole(ctx, entry.sha256):
            return None
        entry = replace(entry, size=status.st_size, mtime_ns=status.st_mtime_ns)
        self._record(name, entry)
        return entry

    def adopt(self, ctx: Context, name: str, sha256: str) -> Entry | None:
        """Name a blob that is here by its digest alone, hashing it once; None if it is not here or broken."""
        if not self.path(sha256).exists() or not self.whole(ctx, sha256):
            return None
        return self.name(sha256, Claim(name, "cache"))

    def whole(self, ctx: Context, sha256: str) -> bool:
        """Hash a blob; remove it and return False if its content is not what its name says."""
        if file_digest(ctx, self.path(sha256)) == sha256:
            return True
        self.path(sha256).unlink(missing_ok=True)
        return False

    def sweep(self, older_than: float) -> None:
        """Remove what interrupted writes and downloads left behind more than ``older_than`` seconds ago."""
        if not self.partial.is_dir():
            return
        for path in self.partial.iterdir():
            if time.time() - path.lstat().st_mtime > older_than:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield every name and its entry, sorted by name."""
        for path in sorted(self._index.rglob("*.json")):
            name = path.relative_to(self._index).as_posix().removesuffix(".json")
            entry = self._read(name)
            if entry is not None:
                yield name, entry

    def _keep(self, file: Path, sha256: str, claim: Claim) -> Entry:
        if claim.sha256 not in {"", sha256}:
            raise DigestMismatch(file=claim.name, expected=claim.sha256, found=sha256, source=claim.source)
        target = self.path(sha256)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.replace(target)
        return self.name(sha256, claim)

    def _record(self, name: str, entry: Entry) -> None:
        target = self._index_path(name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.temporary() as (stream, temporary):
            stream.write(json.dumps(asdict(entry)).encode())
            stream.flush()
            temporary.replace(target)

    def _read(self, name: str) -> Entry | None:
        """Return an entry as recorded; an unreadable one counts as absent and is written anew."""
        try:
            return Entry(**json.loads(self._index_path(name).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _index_path(self, name: str) -> Path:
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise ArtifactFailed(f"{name} is not a name for the cache")
        return self._index / f"{name}.json"

    @contextmanager
    def temporary(self) -> Iterator[tuple[IO[bytes], Path]]:
        """Yield a new file below ``partial``; it is removed at the end unless it was renamed."""
        self.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.partial)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream, path
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
