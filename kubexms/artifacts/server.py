# SPDX-License-Identifier: GPL-3.0-or-later
"""The file server that hosts fetch their files and images from while a run lasts.

It serves ``GET`` and ``HEAD /sha256/<digest>`` for a fixed set of digests and nothing else. There is no
transport security: what it serves is public software, and hosts verify every byte by its digest.
"""

import re
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

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
        path = self.server.files.get(self.path.removeprefix("/sha256/"))
        try:
            stream = path.open("rb") if path is not None and self.path.startswith("/sha256/") else None
        except OSError:
            stream = None
        if stream is None:
            self._headers(HTTPStatus.NOT_FOUND, 0)
            return
        with stream:
            size = stream.seek(0, 2)
            part = parse_range(self.headers.get("Range", ""), size)
            start, length = part or (0, size)
            if part is not None and length == 0:
                self._headers(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, f"bytes */{size}")
                return
            whole = f"bytes {start}-{start + length - 1}/{size}" if part else ""
            self._headers(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, length, whole)
            if body and length:
                self.wfile.flush()
                self.connection.sendfile(stream, start, length)

    def _headers(self, status: HTTPStatus, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        if content_range:
            self.send_header("Content-Range", content_range)
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
