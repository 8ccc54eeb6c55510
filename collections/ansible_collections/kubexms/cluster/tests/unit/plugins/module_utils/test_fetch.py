# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching by digest against a server that fails in every way a server fails."""

from __future__ import annotations

import hashlib
import socket

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _fetch
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DigestError, DownloadError

CONTENT = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Return the list of pauses that were made between attempts, without making them."""
    made = []
    monkeypatch.setattr(_fetch.time, "sleep", made.append)
    return made


@pytest.fixture
def place(tmp_path, server):
    """Return a function that fetches CONTENT and returns where it is placed."""
    server.serve(CONTENT)
    source = _fetch.Source(server.url + "/")

    def fetch():
        _fetch.fetch(source, DIGEST, len(CONTENT), str(tmp_path / "bin/kubelet"), "0750")
        return tmp_path / "bin/kubelet"

    return fetch


@pytest.fixture
def partial(tmp_path):
    """Return the path of the partial file, its folder made."""
    (tmp_path / "bin").mkdir()
    return tmp_path / f"bin/.kubexms-kubelet-{DIGEST[:16]}.part"


def test_fetched_whole(place, server, pauses):
    path = place()
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o750
    assert list(path.parent.iterdir()) == [path]
    assert (server.requests, pauses) == ([(f"/sha256/{DIGEST}", "")], [])


def test_a_transfer_that_breaks_off_goes_on(place, server, pauses):
    server.script = [1000, 500_000]
    assert place().read_bytes() == CONTENT
    assert [wanted for _path, wanted in server.requests] == ["", "bytes=1000-", "bytes=501000-"]
    assert pauses == [1.0, 2.0]


def test_one_that_always_breaks_off_is_an_error_and_keeps_what_came(place, partial, server):
    server.script = [10, 10, 10]
    with pytest.raises(DownloadError, match="failed 3 times: the connection ended after 30 of 2097152 bytes"):
        place()
    assert partial.stat().st_size == 30
    assert place().read_bytes() == CONTENT
    assert server.requests[-1][1] == "bytes=30-"


def test_a_server_without_ranges_sends_from_the_start(place, partial, server):
    partial.write_bytes(CONTENT[:700])
    server.script = ["whole"]
    assert place().read_bytes() == CONTENT


def test_a_whole_partial_file_is_only_placed(place, partial, server):
    partial.write_bytes(CONTENT)
    assert place().read_bytes() == CONTENT
    assert server.requests == []


def test_a_partial_file_that_is_too_long_is_thrown_away(place, partial, server):
    partial.write_bytes(CONTENT + b"more")
    assert place().read_bytes() == CONTENT
    assert server.requests[0][1] == ""


def test_damaged_partial_bytes_are_noticed_and_thrown_away(place, partial, server):
    partial.write_bytes(b"x" * 700)
    with pytest.raises(DigestError, match=f"expected {DIGEST}; nothing was placed"):
        place()
    assert not partial.exists()
    assert place().read_bytes() == CONTENT


def test_a_refusal_is_not_tried_again(place, server):
    server.script = ["status"]
    with pytest.raises(DownloadError, match="answers 503"):
        place()
    assert len(server.requests) == 1


def test_one_that_cannot_be_reached_is_given_up_for_all(tmp_path, pauses):
    with socket.socket() as taken:  # bound and not listening: refuses
        taken.bind(("127.0.0.1", 0))
        source = _fetch.Source(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(DownloadError, match=r"failed 3 times: \[Errno 111\]") as caught:
            _fetch.fetch(source, DIGEST, 1, str(tmp_path / "a"), "0644")
        assert caught.value.retriable
        assert pauses == [1.0, 2.0]
        with pytest.raises(DownloadError, match="cannot be reached"):
            _fetch.fetch(source, DIGEST, 1, str(tmp_path / "b"), "0644")
        assert pauses == [1.0, 2.0]


def test_no_url_at_all(tmp_path):
    with pytest.raises(DownloadError, match="no URL to fetch it from") as caught:
        _fetch.fetch(_fetch.Source(""), DIGEST, 1, str(tmp_path / "a"), "0644")
    assert caught.value.hint == "set url, or directory on the controller"


def test_proxies_are_left_out(place, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert place().read_bytes() == CONTENT
