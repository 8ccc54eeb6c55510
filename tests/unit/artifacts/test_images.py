# SPDX-License-Identifier: GPL-3.0-or-later
"""Image archives: tars that are always the same, and OCI layouts in which everything is where it is said."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubexms.artifacts.images import pack
from kubexms.artifacts.images.oci import PLAIN, Blueprint, Packing, assemble, layer
from kubexms.artifacts.images.segments import END, Segments, chunks, folders, member, sha256, size
from kubexms.context import Context
from tests.unit.artifacts.helpers import digest, tar_of

REFERENCE = "registry.k8s.io/coredns/coredns:v1.14.7"


def whole(segments: Segments) -> bytes:
    return b"".join(chunks(segments))


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return name -> content of the regular files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {
            one.name: stream.read()
            for one in archive
            if one.isreg() and (stream := archive.extractfile(one)) is not None
        }


NAMES = st.from_regex(r"[a-z0-9.-]{1,20}(/[a-z0-9.-]{1,20}){0,3}", fullmatch=True)


@settings(max_examples=50)
@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5))
def test_a_tar_holds_what_was_put_in(files: dict[str, bytes]) -> None:
    segments: list[bytes | Path] = []
    for name, content in files.items():
        segments += member(name, (content,))
    data = whole((*segments, END))
    assert unpacked(data) == files
    assert len(data) % 512 == 0
    assert size(segments) + len(END) == len(data)
    assert sha256((*segments, END)) == digest(data)


def test_folders_come_once_and_parents_first() -> None:
    data = whole((*folders(["a/b/c", "a/b/d", "e/f", "g"]), END))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [one.name for one in archive] == ["a", "a/b", "e"]
        assert all(one.isdir() and one.mode == 0o755 for one in archive)


@pytest.fixture
def blueprint(tmp_path: Path) -> Blueprint:
    (tmp_path / "coredns").write_bytes(b"ELF" * 1000)
    (tmp_path / "base.tar").write_bytes(tar_of({"bin/sh": b"sh"}))
    return Blueprint(
        reference=REFERENCE,
        arch="arm64",
        files={"/usr/bin/coredns": tmp_path / "coredns"},
        base=tmp_path / "base.tar",
        capabilities={"/usr/bin/coredns": ["net_bind_service"]},
        entrypoint=["/usr/bin/coredns"],
        environment=["PATH=/usr/bin"],
        user="65532:65532",
    )


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    """Return what a descriptor points at, having checked its size and digest."""
    algorithm, _, hexadecimal = descriptor["digest"].partition(":")
    content = files[f"blobs/{algorithm}/{hexadecimal}"]
    assert len(content) == descriptor["size"]
    assert hashlib.new(algorithm, content).hexdigest() == hexadecimal
    return content


def check_layout(
    data: bytes, manifest_digest: str, content_digest: str
) -> tuple[dict[str, Any], list[bytes]]:
    """Follow an OCI layout from its index; return the configuration and the layers as stored."""
    files = unpacked(data)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["annotations"]["io.containerd.image.name"] == REFERENCE
    assert described["annotations"]["org.opencontainers.image.ref.name"] == "v1.14.7"
    assert described["platform"] == {"architecture": "arm64", "os": "linux"}
    assert described["digest"] == manifest_digest
    manifest = json.loads(blob(files, described))
    config = json.loads(blob(files, manifest["config"]))
    assert manifest["config"]["digest"] == content_digest
    layers = [blob(files, one) for one in manifest["layers"]]
    assert len(files) == 2 + 2 + len(layers)
    return config, layers


def test_a_layout_is_whole(blueprint: Blueprint) -> None:
    made = assemble(blueprint)
    config, layers = check_layout(whole(made.segments), made.manifest, made.content)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest(one)}" for one in layers]
    assert config["config"] == {
        "Env": ["PATH=/usr/bin"],
        "WorkingDir": "/",
        "Entrypoint": ["/usr/bin/coredns"],
        "User": "65532:65532",
    }
    assert (config["architecture"], config["os"]) == ("arm64", "linux")
    assert len(config["history"]) == len(layers) == 2
    assert unpacked(layers[0]) == {"bin/sh": b"sh"}
    assert unpacked(layers[1]) == {"usr/bin/coredns": b"ELF" * 1000}


def test_the_same_inputs_give_the_same_bytes(blueprint: Blueprint) -> None:
    first = whole(assemble(blueprint).segments)
    for path in blueprint.files.values():
        path.touch()
        path.chmod(0o600)
    assert whole(assemble(blueprint).segments) == first


def test_files_in_a_layer_are_programs_of_root_with_capabilities(blueprint: Blueprint) -> None:
    data = whole(layer(blueprint.files, blueprint.capabilities or {}))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.getmember("usr/bin/coredns")
    assert (member.mode, member.uid, member.gid, member.mtime, member.uname) == (0o755, 0, 0, 0, "")
    # VFS_CAP_REVISION_2 with the effective bit, CAP_NET_BIND_SERVICE (10) permitted, nothing inheritable.
    value = member.pax_headers["SCHILY.xattr.security.capability"].encode()
    assert value == bytes.fromhex("01000002 00040000 00000000 00000000 00000000")


def test_an_image_without_base_user_or_entrypoint_says_nothing_of_them(blueprint: Blueprint) -> None:
    bare = Blueprint(REFERENCE, "arm64", blueprint.files)
    made = assemble(bare, PLAIN)
    config, layers = check_layout(whole(made.segments), made.manifest, made.content)
    assert len(layers) == 1
    assert config["config"] == {"Env": [], "WorkingDir": "/"}


def test_packing_changes_the_layers_but_not_the_content(blueprint: Blueprint) -> None:
    plain = assemble(blueprint)
    packed = assemble(blueprint, Packing("+x", lambda segments: (b"packed", whole(segments))))
    assert packed.content == plain.content
    assert packed.manifest != plain.manifest
    _, layers = check_layout(whole(packed.segments), packed.manifest, packed.content)
    assert all(one.startswith(b"packed") for one in layers)
    assert b'"application/vnd.oci.image.layer.v1.tar+x"' in whole(packed.segments)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_layers_are_packed_with_zstandard(ctx: Context, blueprint: Blueprint, tmp_path: Path) -> None:
    assert pack.label().startswith("zstd-")
    made = assemble(blueprint, pack.packing(ctx, tmp_path))
    config, layers = check_layout(whole(made.segments), made.manifest, made.content)
    for stored, content in zip(layers, config["rootfs"]["diff_ids"], strict=True):
        plain = subprocess.run(["zstd", "-dc"], input=stored, capture_output=True, check=True).stdout
        assert f"sha256:{digest(plain)}" == content


def test_layers_stay_plain_without_the_program(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pack.label() == "plain"
    assert pack.packing(ctx, tmp_path) == PLAIN
