# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive seen as a registry, as a table of contents and over HTTP."""

import hashlib
import io
import json
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from kubexms.artifacts.archive import read_archive
from kubexms.artifacts.server import FileServer
from kubexms.errors import ArtifactFailed

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER = b"layer" * 1000
CONFIG = json.dumps({"architecture": "amd64"}).encode()
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE}).encode()
DIGEST = "a" * 64


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def write_archive(path: Path, index: object, *blobs: bytes) -> Path:
    members = {"index.json": json.dumps(index).encode()}
    members |= {f"blobs/sha256/{digest(blob)[7:]}": blob for blob in blobs}
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    index = {"manifests": [{"mediaType": MANIFEST_TYPE, "digest": digest(MANIFEST), "size": len(MANIFEST)}]}
    return write_archive(tmp_path / "image.tar", index, MANIFEST, CONFIG, LAYER)


def test_a_tag_and_the_digest_mean_the_image(archive: Path) -> None:
    found = read_archive(archive)
    by_tag = found.find("kube-proxy/manifests/v1.36.3")
    assert by_tag is not None
    assert by_tag == found.find(f"coredns/coredns/manifests/{digest(MANIFEST)}")
    assert (by_tag.digest, by_tag.media_type) == (digest(MANIFEST), MANIFEST_TYPE)


def test_blobs_are_where_they_lie_in_the_file(archive: Path) -> None:
    part = read_archive(archive).find(f"pause/blobs/{digest(LAYER)}")
    assert part is not None
    assert archive.read_bytes()[part.offset : part.offset + part.size] == LAYER
    assert part.media_type == "application/octet-stream"


@pytest.mark.parametrize("resource", ["pause/blobs/sha256:0", "pause/tags/list", "pause", ""])
def test_everything_else_is_nothing(archive: Path, resource: str) -> None:
    assert read_archive(archive).find(resource) is None


@pytest.mark.parametrize("index", [{"manifests": []}, {"manifests": [{"digest": "sha256:0"}]}, [], {}])
def test_what_is_no_archive_of_one_image_is_refused(tmp_path: Path, index: object) -> None:
    path = write_archive(tmp_path / "image.tar", index, MANIFEST)
    with pytest.raises(ArtifactFailed, match="no OCI archive of one image"):
        read_archive(path)


def test_a_binary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kubelet"
    path.write_bytes(b"\x7fELF" * 1000)
    with pytest.raises(ArtifactFailed, match="no OCI archive of one image"):
        read_archive(path)


def test_served_as_a_registry(archive: Path) -> None:
    with FileServer({DIGEST: archive}, "127.0.0.1") as server:
        base = f"http://127.0.0.1:{server.port}/sha256/{DIGEST}/v2/"
        with urllib.request.urlopen(base) as response:
            assert (response.status, response.read()) == (200, b"")
        head = urllib.request.Request(base + "pause/manifests/3.10.2?ns=registry.k8s.io", method="HEAD")
        with urllib.request.urlopen(head) as response:
            assert response.headers["Docker-Content-Digest"] == digest(MANIFEST)
            assert response.headers["Content-Type"] == MANIFEST_TYPE
            assert response.headers["Content-Length"] == str(len(MANIFEST))
        with urllib.request.urlopen(f"{base}pause/blobs/{digest(LAYER)}") as response:
            assert response.read() == LAYER


@pytest.mark.parametrize("resource", ["v2/pause/blobs/sha256:0", "v1/", "v2/x"])
def test_unknown_resources_are_not_found(archive: Path, resource: str) -> None:
    with FileServer({DIGEST: archive}, "127.0.0.1") as server:
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/sha256/{DIGEST}/{resource}")
        caught.value.close()


def test_a_file_that_is_no_archive_is_no_registry(tmp_path: Path) -> None:
    path = tmp_path / "kubelet"
    path.write_bytes(b"\x7fELF")
    with FileServer({DIGEST: path}, "127.0.0.1") as server:
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/sha256/{DIGEST}/v2/")
        caught.value.close()
