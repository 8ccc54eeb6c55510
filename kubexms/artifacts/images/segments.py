# SPDX-License-Identifier: GPL-3.0-or-later
"""Deterministic tar archives as lists of segments: headers in memory, contents on disk.

An archive is never built in memory or in a temporary file; its bytes are read when they are hashed and
when they are written. Times, owners and names of owners are zero, the order is the caller's.
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from kubexms.artifacts.cache import read_chunks

Segments = tuple[bytes | Path, ...]

_BLOCK = 512
END = b"\0" * (2 * _BLOCK)


def chunks(segments: Iterable[bytes | Path]) -> Iterator[bytes]:
    """Yield the bytes of segments in pieces."""
    for segment in segments:
        if isinstance(segment, bytes):
            yield segment
        else:
            yield from read_chunks(segment)


def size(segments: Iterable[bytes | Path]) -> int:
    """Return the number of bytes of segments."""
    return sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in segments)


def sha256(segments: Iterable[bytes | Path]) -> str:
    """Return the hexadecimal digest of segments."""
    digest = hashlib.sha256()
    for piece in chunks(segments):
        digest.update(piece)
    return digest.hexdigest()


def member(
    name: str, content: Segments, *, mode: int = 0o644, pax: Mapping[str, str] | None = None
) -> Segments:
    """Return one regular file of a tar: header, content, padding."""
    info = tarfile.TarInfo(name)
    info.mode, info.size = mode, size(content)
    return (_header(info, pax), *content, b"\0" * (-info.size % _BLOCK))


def folders(paths: Iterable[str]) -> Segments:
    """Return the headers of all folders above ``paths``, each once, parents first."""
    needed = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    segments = []
    for path in sorted(needed - {".", "/"}):
        info = tarfile.TarInfo(f"{path}/")
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        segments.append(_header(info, None))
    return tuple(segments)


def _header(info: tarfile.TarInfo, pax: Mapping[str, str] | None) -> bytes:
    if not pax:
        return info.tobuf(tarfile.USTAR_FORMAT)
    info.pax_headers = dict(pax)
    return info.tobuf(tarfile.PAX_FORMAT)
