# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: read, compared, written whole; digests remembered as long as they hold."""

from __future__ import annotations

import hashlib
import os

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _files
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "none", tmp_path / "file/below"):
        (tmp_path / "file").write_text("")
        assert _files.read_text(str(path)) is None
        assert _files.read_mode(str(path)) is None
        assert _files.DigestCache(str(tmp_path / "cache")).digest(str(path)) == ""


def test_bytes_that_are_no_text_survive(tmp_path):
    (tmp_path / "a").write_bytes(b"\xff\xfeA")
    text = _files.read_text(str(tmp_path / "a"))
    _files.write_text(str(tmp_path / "b"), text)
    assert (tmp_path / "b").read_bytes() == b"\xff\xfeA"
    assert _files.text_digest(text) == hashlib.sha256(b"\xff\xfeA").hexdigest()
    assert _files.text_digest(None) == ""


def test_written_whole_with_mode_and_folders(tmp_path):
    path = tmp_path / "a/b/c"
    _files.write_text(str(path), "text", "0640")
    assert path.read_text() == "text"
    assert _files.read_mode(str(path)) == "0640"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError("full")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(_files.os, "rename", refuse)
    with pytest.raises(OSError, match="full"):
        _files.write_text(str(tmp_path / "a"), "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("found", "wanted", "paths"),
    [
        (None, "a", ["PATH"]),
        ("b", "a", ["PATH"]),
        ("a", "a", []),
        ("a", None, ["PATH"]),
        (None, None, []),
    ],
)
def test_compared_and_settled(tmp_path, found, wanted, paths):
    path = str(tmp_path / "file")
    if found is not None:
        _files.write_text(path, found)
    differences = Differences()
    _files.compare_text(differences, path, wanted)
    assert [item["path"].replace(path, "PATH") for item in differences] == paths
    assert _files.settle_text(differences, path, wanted) is bool(paths)
    assert _files.read_text(path) == wanted


def test_a_mode_that_differs_is_settled(tmp_path):
    path = str(tmp_path / "file")
    _files.write_text(path, "a", "0600")
    differences = Differences()
    _files.compare_text(differences, path, "a")
    assert list(differences) == [{"path": path + " mode", "before": "0600", "after": "0644"}]
    assert _files.settle_text(differences, path, "a")
    assert _files.read_mode(path) == "0644"


def test_the_diff_has_no_text_of_a_file_that_not_everybody_may_read(tmp_path):
    differences = Differences()
    _files.compare_text(differences, str(tmp_path / "secret"), "hush", "0600")
    assert "hush" not in differences.as_diff()["after"]
    assert differences


def test_remove(tmp_path):
    (tmp_path / "a").write_text("")
    assert _files.remove(str(tmp_path / "a"))
    assert not _files.remove(str(tmp_path / "a"))


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "digests.json")


def test_a_digest_is_remembered_and_forgotten_with_the_file(tmp_path, cache, monkeypatch):
    path = tmp_path / "binary"
    path.write_bytes(b"one")
    first = _files.DigestCache(cache)
    assert first.digest(str(path)) == hashlib.sha256(b"one").hexdigest()
    first.save()
    monkeypatch.setattr(_files, "file_digest", lambda _path: "hashed")
    second = _files.DigestCache(cache)
    assert second.digest(str(path)) == hashlib.sha256(b"one").hexdigest()
    status = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert second.digest(str(path)) == "hashed"


def test_a_digest_known_from_writing_is_kept(tmp_path, cache, monkeypatch):
    (tmp_path / "binary").write_bytes(b"one")
    first = _files.DigestCache(cache)
    first.put(str(tmp_path / "binary"), "known")
    first.save()
    assert _files.DigestCache(cache).digest(str(tmp_path / "binary")) == "known"


def test_an_unchanged_cache_is_not_written(tmp_path, cache):
    _files.DigestCache(cache).save()
    assert not os.path.exists(cache)


def test_a_damaged_cache_is_no_cache(tmp_path, cache):
    (tmp_path / "digests.json").write_text("{")
    (tmp_path / "binary").write_bytes(b"one")
    found = _files.DigestCache(cache).digest(str(tmp_path / "binary"))
    assert found == hashlib.sha256(b"one").hexdigest()
