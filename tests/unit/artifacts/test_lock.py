# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock file: read, written in one step, and refused when it is not one."""

from pathlib import Path

import pytest

from kubexms.artifacts import lock, lock_path, pins
from kubexms.artifacts.cache import Entry
from kubexms.artifacts.lock import Lock, LockedFile, LockedImage
from kubexms.artifacts.model import Item
from kubexms.errors import DigestMismatch, ValidationFailed
from tests.unit.artifacts.helpers import digest

A, B = digest(b"a"), digest(b"b")


def test_it_lies_beside_the_cluster_file() -> None:
    assert lock_path(Path("/x/cluster.yaml")) == Path("/x/cluster.lock.yaml")
    assert lock_path(Path("prod.yml")) == Path("prod.lock.yaml")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "cluster.lock.yaml"
    written = Lock(
        files={"b/file": LockedFile(sha256=A, size=1, source="x"), "a/file": LockedFile(sha256=B, size=2)},
        images={"name:1 linux-amd64": LockedImage(digest=f"sha256:{A}", archive=B, size=3)},
    )
    lock.write(path, written)
    assert lock.read(path) == written
    text = path.read_text()
    assert text.startswith("# Written by kubexms")
    assert text.index("a/file") < text.index("b/file")
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_an_absent_file_pins_nothing(tmp_path: Path) -> None:
    assert lock.read(tmp_path / "none") == Lock()


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cluster.lock.yaml"
    lock.write(path, Lock())
    before = path.read_text()

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        lock.write(path, Lock(files={"a": LockedFile(sha256=A, size=1)}))
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("files: {a: {sha256: xyz, size: 1}}", "files.a.sha256"),
        ("files: {a: {sha256: " + A + ", size: -1}}", "files.a.size"),
        ("kind: Cluster", "kind"),
        ("other: 1", "other"),
        ("images: {a: {digest: sha256:1}}", "images.a.digest"),
        ("[1, 2]", ""),
        ("{", ""),
    ],
)
def test_a_broken_file_names_its_problems(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "cluster.lock.yaml"
    path.write_text(text)
    with pytest.raises(ValidationFailed) as raised:
        lock.read(path)
    assert raised.value.problems[0].path == where
    assert raised.value.problems[0].file == str(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.lock.yaml"
    path.write_bytes(b"\xff\xff")
    with pytest.raises(ValidationFailed, match="not a YAML file"):
        lock.read(path)


def archive(content: str, manifest: str) -> Entry:
    return Entry(A, 3, 1, "assembled", f"sha256:{manifest}", f"sha256:{content}")


def test_an_image_of_the_pinned_content_is_accepted_however_it_is_packed() -> None:
    first = pins.assembled(Lock(), "k", archive(A, A))
    again = pins.assembled(Lock(images={"k": first}), "k", archive(A, B))
    assert (again.content, again.digest) == (f"sha256:{A}", f"sha256:{B}")


def test_an_image_of_another_content_is_refused() -> None:
    pinned = Lock(images={"k": pins.assembled(Lock(), "k", archive(A, A))})
    with pytest.raises(DigestMismatch) as raised:
        pins.assembled(pinned, "k", archive(B, A))
    assert (raised.value.file, raised.value.expected, raised.value.found) == (
        "k",
        f"sha256:{A}",
        f"sha256:{B}",
    )


def test_an_image_assembled_here_is_not_one_that_hosts_pull() -> None:
    made = pins.assembled(Lock(), "k", archive(A, A))
    assert pins.pulled(Lock(images={"k": made}), "k") is None
    remote = LockedImage(digest=f"sha256:{A}")
    assert pins.pulled(Lock(images={"k": remote}), "k") == remote


def test_a_file_is_pinned_by_its_name() -> None:
    item = Item("c", "v1", "amd64", "f")
    assert pins.pinned_file(Lock(), item) == ""
    assert pins.pinned_file(Lock(files={item.name: LockedFile(sha256=A, size=1)}), item) == A
