# SPDX-License-Identifier: GPL-3.0-or-later
"""The file server as hosts use it."""

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubexms.artifacts.server import FileServer, parse_range
from tests.unit.artifacts.helpers import digest

CONTENT = bytes(range(256)) * 1000
DIGEST = digest(CONTENT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    (tmp_path / "blob").write_bytes(CONTENT)
    with FileServer({DIGEST: tmp_path / "blob", "gone": tmp_path / "gone"}, "127.0.0.1") as made:
        yield made


def ask(
    server: FileServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
    finally:
        connection.close()


def test_a_file_is_served_by_its_digest(server: FileServer) -> None:
    status, headers, body = ask(server, f"/sha256/{DIGEST}")
    assert (status, body) == (200, CONTENT)
    assert headers["content-length"] == str(len(CONTENT))
    assert headers["accept-ranges"] == "bytes"


def test_head_sends_no_body(server: FileServer) -> None:
    status, headers, body = ask(server, f"/sha256/{DIGEST}", "HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    "path", ["/", "/sha256/", f"/sha256/{'0' * 64}", f"/{DIGEST}", "/sha256/../etc/passwd", "/sha256/gone"]
)
def test_nothing_else_is_served(server: FileServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert (status, body) == (404, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(server: FileServer, method: str) -> None:
    assert ask(server, f"/sha256/{DIGEST}", method)[0] == 501


def test_a_download_can_be_resumed(server: FileServer) -> None:
    status, headers, body = ask(server, f"/sha256/{DIGEST}", headers={"Range": "bytes=1000-"})
    assert (status, body) == (206, CONTENT[1000:])
    assert headers["content-range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"


def test_a_range_beyond_the_end_is_refused(server: FileServer) -> None:
    status, headers, _ = ask(server, f"/sha256/{DIGEST}", headers={"Range": f"bytes={len(CONTENT)}-"})
    assert status == 416
    assert headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_one_connection_serves_several_requests(server: FileServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("GET", f"/sha256/{DIGEST}")
        assert connection.getresponse().read() == CONTENT
    connection.close()


def test_many_hosts_are_served_at_once(server: FileServer) -> None:
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(ask(server, f"/sha256/{DIGEST}")[2]))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENT] * 16


def test_a_host_that_goes_away_does_not_matter(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * (32 << 20))
    with FileServer({"big": big}, "127.0.0.1") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /sha256/big HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(100)
        assert ask(server, "/sha256/big", "HEAD")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_closed_server_is_gone(tmp_path: Path) -> None:
    server = FileServer({}, "127.0.0.1")
    assert server.port == 0
    port = server.start()
    assert port == server.port > 0
    server.close()
    server.close()
    assert server.port == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_ranges_never_leave_the_file(size: int, first: int, last: int) -> None:
    content = range(size)
    for header, expected in [
        (f"bytes={first}-{last}", content[first : last + 1]),
        (f"bytes={first}-", content[first:]),
        (f"bytes=-{last}", content[max(0, size - last) :]),
    ]:
        found = parse_range(header, size)
        assert found is not None
        start, length = found
        assert length == len(expected)
        if length:
            assert content[start : start + length] == expected


@pytest.mark.parametrize("header", ["", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b"])
def test_other_ranges_mean_the_whole_file(header: str) -> None:
    assert parse_range(header, 100) is None
