# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache keeps what it was given, under its digest, and nothing else."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubexms.artifacts.cache import Cache, Claim
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, Cancelled, DigestMismatch
from tests.unit.artifacts.helpers import digest


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_blob_lies_under_its_digest_and_has_a_name(ctx: Context, cache: Cache) -> None:
    entry = cache.add(ctx, [b"hel", b"lo"], Claim("a/b", "test"))
    assert entry.sha256 == digest(b"hello")
    assert cache.blobs / entry.sha256[:2] / entry.sha256 == cache.path(entry.sha256)
    assert cache.path(entry.sha256).read_bytes() == b"hello"
    assert cache.lookup(ctx, "a/b") == entry
    assert [name for name, _ in cache.entries()] == ["a/b"]
    assert not files_below(cache.partial)


def test_a_wrong_digest_names_everything_and_stores_nothing(ctx: Context, cache: Cache) -> None:
    with pytest.raises(DigestMismatch) as raised:
        cache.add(ctx, [b"evil"], Claim("a", "somewhere", digest(b"good")))
    error = raised.value
    assert (error.file, error.source) == ("a", "somewhere")
    assert (error.expected, error.found) == (digest(b"good"), digest(b"evil"))
    assert not files_below(cache.root)
    assert cache.lookup(ctx, "a") is None


def test_an_interrupted_write_leaves_nothing(ctx: Context, cache: Cache) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        ctx.cancelled.set()
        yield b"more"

    with pytest.raises(Cancelled):
        cache.add(ctx, pieces(), Claim("a", "test"))
    assert not files_below(cache.root)


def test_a_file_is_taken_without_being_copied(ctx: Context, cache: Cache, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"x")
    inode = made.stat().st_ino
    entry = cache.take(ctx, made, Claim("a", "test"))
    assert not made.exists()
    assert cache.path(entry.sha256).stat().st_ino == inode


def test_a_wrong_file_is_not_taken(ctx: Context, cache: Cache, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"x")
    with pytest.raises(DigestMismatch):
        cache.take(ctx, made, Claim("a", "test", digest(b"y")))
    assert not files_below(cache.root)


def test_a_known_blob_is_not_read_again(ctx: Context, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.add(ctx, [b"x"], Claim("a", "test"))
    monkeypatch.setattr("kubexms.artifacts.cache.file_digest", lambda *_: pytest.fail("it was hashed"))
    assert cache.lookup(ctx, "a") is not None


def test_a_touched_blob_is_hashed_and_kept(ctx: Context, cache: Cache) -> None:
    entry = cache.add(ctx, [b"x"], Claim("a", "test"))
    os.utime(cache.path(entry.sha256), ns=(1, 1))
    again = cache.lookup(ctx, "a")
    assert again is not None
    assert again.mtime_ns == 1
    assert cache.lookup(ctx, "a") == again


def test_a_changed_blob_is_removed(ctx: Context, cache: Cache) -> None:
    entry = cache.add(ctx, [b"x"], Claim("a", "test"))
    cache.path(entry.sha256).write_bytes(b"y")
    os.utime(cache.path(entry.sha256), ns=(1, 1))
    assert cache.lookup(ctx, "a") is None
    assert not cache.path(entry.sha256).exists()
    assert cache.lookup(ctx, "a") is None


def test_a_blob_is_adopted_by_its_digest(ctx: Context, cache: Cache) -> None:
    entry = cache.add(ctx, [b"x"], Claim("a", "test"))
    assert cache.adopt(ctx, "b", digest(b"other")) is None
    adopted = cache.adopt(ctx, "b", entry.sha256)
    assert adopted is not None
    assert cache.lookup(ctx, "b") == adopted
    cache.path(entry.sha256).write_bytes(b"y")
    assert cache.adopt(ctx, "c", entry.sha256) is None


@pytest.mark.parametrize("broken", ["", "[]", '{"sha256": 1}', "{", '{"other": 1}'])
def test_an_unreadable_index_entry_counts_as_absent(ctx: Context, cache: Cache, broken: str) -> None:
    cache.add(ctx, [b"x"], Claim("a", "test"))
    (cache.root / "index" / "a.json").write_text(broken)
    assert cache.lookup(ctx, "a") is None
    assert list(cache.entries()) == []


@pytest.mark.parametrize("name", ["../outside", "a/../../b", "/etc/passwd"])
def test_names_stay_inside_the_cache(ctx: Context, cache: Cache, name: str) -> None:
    with pytest.raises(ArtifactFailed):
        cache.add(ctx, [b"x"], Claim(name, "test"))


def test_writers_of_one_name_do_not_disturb_each_other(ctx: Context, cache: Cache) -> None:
    def write() -> None:
        for _ in range(50):
            cache.add(ctx, [b"same"], Claim("a", "test"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = cache.lookup(ctx, "a")
    assert found is not None
    assert found.sha256 == digest(b"same")
    assert not files_below(cache.partial)


def test_only_old_left_overs_are_swept(cache: Cache) -> None:
    cache.sweep(0)
    (cache.partial / "old-folder").mkdir(parents=True)
    for name in ("old", "new"):
        (cache.partial / name).write_text("x")
    for name in ("old", "old-folder"):
        os.utime(cache.partial / name, (1, 1))
    cache.sweep(3600)
    assert [path.name for path in cache.partial.iterdir()] == ["new"]


def test_folders_are_for_their_owner(ctx: Context, cache: Cache) -> None:
    entry = cache.add(ctx, [b"x"], Claim("a", "test"))
    assert cache.path(entry.sha256).stat().st_mode & 0o077 == 0
    assert cache.partial.stat().st_mode & 0o077 == 0
