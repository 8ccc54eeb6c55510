# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of big files that survive an interruption.

A file lies in ``<folder>/<digest of its URL>.part`` until it is whole. A download goes on where an
earlier one stopped if the server can (Range, with If-Range where the server names versions), and starts
again if it cannot or the file has changed.
"""

import fcntl
import hashlib
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from kubexms.artifacts.cache import CHUNK, file_digest
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.web import Request, open_url, persist
from kubexms.context import Context
from kubexms.errors import DigestMismatch, NotFound

_LOOK_SECONDS = 0.2
_REPORT_SECONDS = 2.0
_MISSING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class Interrupted(OSError):
    """The connection ended before the file did."""


@dataclass(frozen=True)
class Download:
    """A file to download: its name for messages, where from, its digest, and where it lies meanwhile."""

    name: str
    url: str
    sha256: str
    folder: Path

    def path(self, kind: str) -> Path:
        """Return the path of the incomplete file (``part``), its entity tag or its lock."""
        return self.folder / f"{hashlib.sha256(self.url.encode()).hexdigest()[:32]}.{kind}"


@contextmanager
def downloaded(ctx: Context, wanted: Download, progress: Progress) -> Iterator[Path]:
    """Yield the complete, verified file; it is removed at the end unless it was moved away.

    A file that was continued and has the wrong digest is fetched again from its start. Raises
    DigestMismatch, NotFound where the server has no such file, ConnectionFailed where it cannot be
    reached; only then the part is kept.
    """
    with _alone(ctx, wanted):
        part = wanted.path("part")
        resumed = part.exists()
        found = _fetch(ctx, wanted, progress)
        if resumed and found != wanted.sha256:
            part.unlink()
            found = _fetch(ctx, wanted, progress)
        try:
            if found != wanted.sha256:
                raise DigestMismatch(file=wanted.name, expected=wanted.sha256, found=found, source=wanted.url)
            yield part
        finally:
            for kind in ("part", "etag"):
                wanted.path(kind).unlink(missing_ok=True)


@contextmanager
def _alone(ctx: Context, wanted: Download) -> Iterator[None]:
    """Keep other processes from writing the same part."""
    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with wanted.path("lock").open("w") as stream:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            ctx.wait(_LOOK_SECONDS)
        yield


def _fetch(ctx: Context, wanted: Download, progress: Progress) -> str:
    """Complete the part, over several connections if need be, and return its digest."""
    persist(ctx, wanted.url, lambda: _transfer(ctx, wanted, progress))
    return file_digest(ctx, wanted.path("part"))


def _transfer(ctx: Context, wanted: Download, progress: Progress) -> None:
    """Ask for the rest of the file and append it to the part; raise OSError if it does not all come."""
    part = wanted.path("part")
    have = part.stat().st_size if part.exists() else 0
    try:
        response = open_url(ctx, Request(wanted.url, _resume_headers(wanted, have)))
    except urllib.error.HTTPError as cause:
        with cause:
            if cause.code in _MISSING:
                raise NotFound(f"{wanted.url} answers with status {cause.code}") from cause
            if cause.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
            raise
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0
        wanted.path("etag").write_text(response.headers.get("ETag", ""), encoding="utf-8")
        total = have + int(response.headers.get("Content-Length", -1 - have))
        reported = -_REPORT_SECONDS
        with part.open("ab" if have else "wb") as stream:
            while piece := response.read(CHUNK):
                ctx.check()
                have += stream.write(piece)
                if time.monotonic() - reported >= _REPORT_SECONDS or have == total:
                    reported = time.monotonic()
                    progress.report(f"download {wanted.url}", have, max(total, 0))
    if 0 <= total != have:
        raise Interrupted(f"the connection ended after {have} of {total} bytes")


def _resume_headers(wanted: Download, have: int) -> dict[str, str]:
    """Return what asks for the rest of a part of ``have`` bytes, on condition that the file is the same."""
    if have == 0:
        return {}
    headers = {"Range": f"bytes={have}-"}
    with suppress(FileNotFoundError):
        tag = wanted.path("etag").read_text(encoding="utf-8")
        if tag.startswith('"'):
            headers["If-Range"] = tag
    return headers
