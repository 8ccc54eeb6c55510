# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads from a real server on the loopback: truncated, continued, changed meanwhile, refused."""

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kubexms.artifacts import web
from kubexms.artifacts.download import Download, downloaded
from kubexms.artifacts.progress import Silent
from kubexms.context import Context
from kubexms.errors import Cancelled, ConnectionFailed, DeadlineExceeded, DigestMismatch, NotFound
from tests.unit.artifacts.helpers import Site, digest

CONTENT = bytes(range(256)) * 4096

pytestmark = pytest.mark.usefixtures("quick")


def wanted(site: Site, folder: Path, content: bytes = CONTENT) -> Download:
    return Download("kubelet", f"{site.url}/file", digest(content), folder)


def fetch(ctx: Context, one: Download) -> bytes:
    with downloaded(ctx, one, Silent()) as path:
        return path.read_bytes()


def ranges(site: Site) -> list[str]:
    return [headers.get("range", "") for _, _, headers in site.requests]


def test_a_file_comes_whole_and_nothing_is_left(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    assert fetch(ctx, wanted(site, tmp_path)) == CONTENT
    assert {path.suffix for path in tmp_path.iterdir()} == {".lock"}
    assert ranges(site) == [""]


def test_progress_is_told_in_bytes(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    told: list[tuple[int, int]] = []

    class Told:
        def report(self, what: str, done: int = 0, total: int = 0) -> None:
            told.append((done, total))

    with downloaded(ctx, wanted(site, tmp_path), Told()):
        assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_truncated_download_goes_on_where_it_stopped(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT

    def cut_first(handler: BaseHTTPRequestHandler) -> None:
        if len(site.requests) == 1:
            site.cut(handler, CONTENT, 1000)
        else:
            site.plain(handler)

    site.answer = cut_first
    assert fetch(ctx, wanted(site, tmp_path)) == CONTENT
    assert ranges(site) == ["", "bytes=1000-"]


def test_an_interrupted_download_goes_on_in_the_next_process(
    ctx: Context, site: Site, tmp_path: Path
) -> None:
    site.files["/file"] = CONTENT
    one = wanted(site, tmp_path)
    site.answer = lambda handler: site.cut(handler, CONTENT, 5000)
    with pytest.raises(ConnectionFailed, match="the connection ended after 5000 of"):
        fetch(ctx, one)
    assert one.path("part").stat().st_size == 5000
    site.answer = site.plain
    assert fetch(ctx, one) == CONTENT
    assert ranges(site)[-1] == "bytes=5000-"


def test_a_server_that_cannot_resume_sends_all_again(ctx: Context, site: Site, tmp_path: Path) -> None:
    one = wanted(site, tmp_path)
    one.path("part").write_bytes(CONTENT[:7])
    site.answer = lambda handler: site.say(handler, 200, CONTENT)
    assert fetch(ctx, one) == CONTENT


def test_a_file_that_changed_meanwhile_is_sent_all_again(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    one = wanted(site, tmp_path)
    one.path("part").write_bytes(b"of an older file")
    one.path("etag").write_text('"older"')
    assert fetch(ctx, one) == CONTENT
    assert site.requests[0][2]["if-range"] == '"older"'
    assert len(site.requests) == 1


def test_a_spoiled_part_is_dropped_and_fetched_again(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    one = wanted(site, tmp_path)
    one.path("part").write_bytes(b"spoiled")
    assert fetch(ctx, one) == CONTENT
    assert ranges(site) == ["bytes=7-", ""]


def test_a_part_as_long_as_the_file_is_fetched_again(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    one = wanted(site, tmp_path)
    one.path("part").write_bytes(b"x" * len(CONTENT))
    assert fetch(ctx, one) == CONTENT


def test_a_wrong_file_is_refused_and_not_kept(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = b"evil"
    one = wanted(site, tmp_path)
    with pytest.raises(DigestMismatch) as raised:
        fetch(ctx, one)
    assert (raised.value.file, raised.value.source) == ("kubelet", one.url)
    assert (raised.value.expected, raised.value.found) == (digest(CONTENT), digest(b"evil"))
    assert not one.path("part").exists()


def test_a_server_in_trouble_is_asked_again(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT

    def trouble_first(handler: BaseHTTPRequestHandler) -> None:
        if len(site.requests) < 3:
            site.say(handler, 503, b"")
        else:
            site.plain(handler)

    site.answer = trouble_first
    assert fetch(ctx, wanted(site, tmp_path)) == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there_is_not_asked_for_twice(
    ctx: Context, site: Site, tmp_path: Path, status: int
) -> None:
    site.answer = lambda handler: site.say(handler, status, b"")
    with pytest.raises(NotFound, match=str(status)):
        fetch(ctx, wanted(site, tmp_path))
    assert len(site.requests) == 1


def test_nobody_listening_is_a_failed_connection(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="cannot fetch"):
        fetch(ctx, Download("x", "http://127.0.0.1:9/x", digest(b""), tmp_path))


def test_other_schemes_are_not_spoken(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a http or https address"):
        fetch(ctx, Download("x", "file:///etc/passwd", digest(b""), tmp_path))


def test_a_download_can_be_cancelled(ctx: Context, site: Site, tmp_path: Path) -> None:
    def cancel(handler: BaseHTTPRequestHandler) -> None:
        ctx.cancelled.set()
        site.cut(handler, CONTENT, 2 << 20)

    site.answer = cancel
    with pytest.raises(Cancelled):
        fetch(ctx, wanted(site, tmp_path))


def test_only_one_process_writes_a_part(ctx: Context, site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT
    results: list[bytes] = []
    one = wanted(site, tmp_path)
    with downloaded(ctx, one, Silent()):
        with pytest.raises(DeadlineExceeded):
            fetch(ctx.with_timeout(0.01), one)
        thread = threading.Thread(target=lambda: results.append(fetch(ctx, one)))
        thread.start()
    thread.join()
    assert results == [CONTENT]


def test_a_text_that_is_not_there_is_said_so(ctx: Context, site: Site) -> None:
    site.files["/sums"] = "ü".encode()
    assert web.text(ctx, f"{site.url}/sums") == "ü"
    with pytest.raises(NotFound, match="status 404"):
        web.text(ctx, f"{site.url}/other")


def test_a_text_is_asked_for_again_when_that_may_help(ctx: Context, site: Site) -> None:
    statuses = [500, 429, 200]
    site.answer = lambda handler: site.say(handler, statuses.pop(0), b"")
    assert web.text(ctx, f"{site.url}/sums") == ""
    assert len(site.requests) == 3


def test_a_deadline_ends_the_attempts(site: Site) -> None:
    site.answer = lambda handler: site.say(handler, 500, b"")
    with pytest.raises((DeadlineExceeded, ConnectionFailed)):
        web.text(Context().with_timeout(0.0), f"{site.url}/sums")
    assert len(site.requests) == 0
