# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artifacts tests share: small stand-ins for every file, and a loopback web server."""

import hashlib
import io
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from kubexms.artifacts import catalogue
from kubexms.artifacts.model import Architecture, Needs

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "v1.36.3"


def digest(content: bytes) -> str:
    """Return a hexadecimal SHA-256 digest."""
    return hashlib.sha256(content).hexdigest()


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    """Return a tar with these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def needs(*archs: Architecture, network: str = "flannel") -> Needs:
    """Return the needs of both roles."""
    chosen = archs or ("amd64",)
    hosts = frozenset((role, arch) for role in ("control-plane", "worker") for arch in chosen)
    return Needs(VERSION, hosts, network)  # type: ignore[arg-type]


def contents(*archs: Architecture) -> dict[str, bytes]:
    """Return name -> bytes of a small stand-in for every file of the release."""
    selection = catalogue.load().select(VERSION)
    found = {}
    for component, described in selection.components.items():
        for file in described.files:
            for arch in archs or ("amd64",):
                name = selection.item(component, file, arch).name
                found[name] = tar_of({"bin/sh": b"sh"}) if file == "rootfs.tar" else f"{name}\n".encode()
    return found


def fill(directory: Path, files: dict[str, bytes]) -> Path:
    """Write files and their SHA256SUMS."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lines = [f"{digest(content)}  {name}\n" for name, content in files.items()]
    (directory / "SHA256SUMS").write_text("".join(lines))
    return directory


class Site:
    """A loopback server; ``answer`` is called with the handler and may do as it likes."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.files: dict[str, bytes] = {}
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.plain
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.requests.append((self.command, self.path, headers))
                site.answer(self)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def plain(self, handler: BaseHTTPRequestHandler) -> None:
        """Serve ``files`` by path, with Range and an entity tag."""
        content = self.files.get(handler.path)
        if content is None:
            self.say(handler, 404, b"")
            return
        tag = f'"{digest(content)[:8]}"'
        start = handler.headers.get("Range", "")
        if start and handler.headers.get("If-Range", tag) == tag:
            first = int(start.removeprefix("bytes=").removesuffix("-"))
            if first >= len(content):
                self.say(handler, 416, b"")
                return
            self.say(handler, 206, content[first:], {"ETag": tag})
        else:
            self.say(handler, 200, content, {"ETag": tag})

    @staticmethod
    def say(
        handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send a complete answer."""
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def cut(self, handler: BaseHTTPRequestHandler, content: bytes, after: int) -> None:
        """Promise all of ``content``, send a part of it, and hang up."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.send_header("ETag", f'"{digest(content)[:8]}"')
        handler.end_headers()
        handler.wfile.write(content[:after])
        handler.close_connection = True
