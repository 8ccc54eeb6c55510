# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory as a source: plain files, archives, and everything that can be wrong with them."""

import lzma
from pathlib import Path

import pytest

from kubexms.artifacts.model import Item
from kubexms.artifacts.sources import Desk, Wanted
from kubexms.artifacts.sources.directory import DirectorySource
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch
from tests.unit.artifacts.helpers import digest, fill, tar_of

ONE = Item("etcd", "v1", "amd64", "etcd")
TWO = Item("etcd", "v1", "amd64", "etcdctl")


def pack(directory: Path, files: dict[str, bytes]) -> Path:
    """Make a directory whose files are in an archive only."""
    fill(directory, files)
    for name in files:
        (directory / name).unlink()
    (directory / "all.tar.xz").write_bytes(lzma.compress(tar_of({f"./{n}": c for n, c in files.items()})))
    return directory


def test_plain_files_are_copied(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    fill(tmp_path / "d", {ONE.name: b"1"})
    outcome = DirectorySource(tmp_path / "d").fetch(ctx, [Wanted(ONE), Wanted(TWO)], desk)
    assert outcome.found[ONE].sha256 == digest(b"1")
    assert outcome.missing == {TWO: "not listed in SHA256SUMS"}


def test_archives_are_unpacked_once_and_whole(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    source = DirectorySource(pack(tmp_path / "d", {ONE.name: b"1", TWO.name: b"2", "readme": b"3"}))
    outcome = source.fetch(ctx, [Wanted(ONE)], desk)
    assert outcome.found[ONE].source == "directory (all.tar.xz)"
    assert desk.cache.lookup(ctx, TWO.name) is not None


def test_files_that_the_list_does_not_name_are_not_used(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    directory = pack(tmp_path / "d", {ONE.name: b"1", TWO.name: b"2"})
    (directory / "SHA256SUMS").write_text(f"{digest(b'1')}  {ONE.name}\n")
    outcome = DirectorySource(directory).fetch(ctx, [Wanted(ONE), Wanted(TWO)], desk)
    assert (list(outcome.found), list(outcome.missing)) == ([ONE], [TWO])
    assert desk.cache.lookup(ctx, TWO.name) is None


def test_a_directory_without_a_list_has_nothing(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / ONE.name).parent.mkdir(parents=True)
    (tmp_path / ONE.name).write_bytes(b"1")
    outcome = DirectorySource(tmp_path).fetch(ctx, [Wanted(ONE)], desk)
    assert outcome.missing == {ONE: "not listed in SHA256SUMS"}


def test_a_listed_file_may_be_absent(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    fill(tmp_path, {ONE.name: b"1"})
    (tmp_path / ONE.name).unlink()
    outcome = DirectorySource(tmp_path).fetch(ctx, [Wanted(ONE)], desk)
    assert "neither a file nor in an archive" in outcome.missing[ONE]


@pytest.mark.parametrize("archived", [False, True])
def test_a_file_unlike_its_listed_digest_is_an_error(
    ctx: Context, desk: Desk, tmp_path: Path, *, archived: bool
) -> None:
    directory = pack(tmp_path, {ONE.name: b"1"}) if archived else fill(tmp_path, {ONE.name: b"1"})
    (directory / "SHA256SUMS").write_text(f"{digest(b'good')}  {ONE.name}\n")
    with pytest.raises(DigestMismatch) as raised:
        DirectorySource(directory).fetch(ctx, [Wanted(ONE)], desk)
    assert (raised.value.expected, raised.value.found) == (digest(b"good"), digest(b"1"))
    assert raised.value.file == ONE.name
    assert not list(desk.cache.blobs.rglob("*"))


def test_a_pinned_digest_is_compared_before_anything_is_read(
    ctx: Context, desk: Desk, tmp_path: Path
) -> None:
    fill(tmp_path, {ONE.name: b"1", TWO.name: b"2"})
    with pytest.raises(DigestMismatch) as raised:
        DirectorySource(tmp_path).fetch(ctx, [Wanted(TWO), Wanted(ONE, digest(b"pinned"))], desk)
    assert (raised.value.expected, raised.value.found) == (digest(b"pinned"), digest(b"1"))
    assert not desk.cache.root.exists()


@pytest.mark.parametrize("cut", [60, 200])
def test_a_truncated_archive_is_an_error(ctx: Context, desk: Desk, tmp_path: Path, cut: int) -> None:
    directory = pack(tmp_path, {ONE.name: bytes(range(256)) * 300})
    archive = directory / "all.tar.xz"
    archive.write_bytes(archive.read_bytes()[:-cut])
    with pytest.raises(ArtifactFailed, match="cannot unpack"):
        DirectorySource(directory).fetch(ctx, [Wanted(ONE)], desk)
    assert desk.cache.lookup(ctx, ONE.name) is None


def test_links_in_archives_are_not_followed(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    import tarfile  # noqa: PLC0415

    fill(tmp_path, {ONE.name: b"1"})
    (tmp_path / ONE.name).unlink()
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        link = tarfile.TarInfo(ONE.name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    outcome = DirectorySource(tmp_path).fetch(ctx, [Wanted(ONE)], desk)
    assert ONE in outcome.missing


def test_an_unreadable_list_is_an_error(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ArtifactFailed, match="cannot read"):
        DirectorySource(tmp_path).fetch(ctx, [Wanted(ONE)], desk)
