# SPDX-License-Identifier: GPL-3.0-or-later
"""The file server that hosts fetch their files and images from while a run lasts.

It serves ``GET`` and ``HEAD /sha256/<digest>`` for a fixed set of digests, an image archive also as a
registry (``/sha256/<digest>/v2/...``, see ``archive.py``), and nothing else. There is no transport
security: what it serves is public software, and hosts verify every byte by its digest.
"""

import re
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self

from kubexms.artifacts.archive import read_archive
from kubexms.errors import ArtifactFailed

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_IDLE_SECONDS = 120.0
_POLL_SECONDS = 0.05


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return (first byte, length) of a Range header for a file of ``size`` bytes (RFC 9110, 14.1.2).

    None means the whole file: no header, several ranges or another unit. A length of 0 means that the
    range cannot be satisfied.
    """
    match = _RANGE.match(header.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        return size - length, length
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    return start, max(0, end - start + 1)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    files: Mapping[str, Path]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore hosts that went away in the middle; report anything else as the base class does."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "kubexms"
    sys_version = ""
    timeout = _IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Send a file, or the part of it that is asked for."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Send a file's size."""
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: what hosts fetch is in their own results."""

    def _answer(self, *, body: bool) -> None:
        digest, _, resource = self.path.removeprefix("/sha256/").partition("/")
        path = self.server.files.get(digest) if self.path.startswith("/sha256/") else None
        try:
            stream = path.open("rb") if path is not None else None
        except OSError:
            stream = None
        if path is None or stream is None:
            self._headers(HTTPStatus.NOT_FOUND, 0)
            return
        with stream:
            if resource:
                self._answer_registry(path, resource.partition("?")[0], stream, body=body)
            else:
                self._answer_file(stream, body=body)

    def _answer_file(self, stream: IO[bytes], *, body: bool) -> None:
        size = stream.seek(0, 2)
        part = parse_range(self.headers.get("Range", ""), size)
        start, length = part or (0, size)
        if part is not None and length == 0:
            self._headers(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, {"Content-Range": f"bytes */{size}"})
            return
        whole = {"Content-Range": f"bytes {start}-{start + length - 1}/{size}"} if part else {}
        self._headers(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, length, whole)
        if body:
            self._send(stream, start, length)

    def _answer_registry(self, path: Path, resource: str, stream: IO[bytes], *, body: bool) -> None:
        """Answer as a registry that has the archive's image: ``v2/``, ``v2/NAME/{manifests,blobs}/...``."""
        api, _, rest = resource.partition("/")
        try:
            archive = read_archive(path) if api == "v2" else None
        except ArtifactFailed:
            archive = None
        part = archive.find(rest) if archive and rest else None
        if part is not None:
            headers = {"Content-Type": part.media_type, "Docker-Content-Digest": part.digest}
            self._headers(HTTPStatus.OK, part.size, headers)
            if body:
                self._send(stream, part.offset, part.size)
        else:
            self._headers(HTTPStatus.OK if archive and not rest else HTTPStatus.NOT_FOUND, 0)

    def _send(self, stream: IO[bytes], start: int, length: int) -> None:
        self.wfile.flush()
        if length:
            self.connection.sendfile(stream, start, length)

    def _headers(
        self, status: HTTPStatus, length: int, more: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **more}
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class FileServer:
    """Serves ``files`` (digest -> path) on ``address`` in background threads, between start and close."""

    def __init__(self, files: Mapping[str, Path], address: str = "0.0.0.0", port: int = 0) -> None:  # noqa: S104 - hosts reach it
        self._files = dict(files)
        self._bind = (address, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Bind and serve; return the port, a free one where 0 was asked for."""
        self._server = _Server(self._bind, _Handler)
        self._server.files = self._files
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="files", daemon=True
        )
        self._thread.start()
        return self.port

    @property
    def port(self) -> int:
        """Return the port that is served on; 0 before start and after close."""
        return int(self._server.server_address[1]) if self._server else 0

    def close(self) -> None:
        """Stop accepting; transfers under way end with the process. May be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
