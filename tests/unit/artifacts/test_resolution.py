# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolving a whole release from small stand-ins: what comes out, what is pinned, what is refused."""

import time
from pathlib import Path

import pytest
import yaml

from kubexms import artifacts
from kubexms.artifacts import Needs, Silent, resolve
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, Cancelled, DigestMismatch, NotSupported
from kubexms.settings import Settings
from tests.unit.artifacts.helpers import VERSION, Site, contents, digest, fill, needs

KUBELET = f"kubernetes/{VERSION}/linux-amd64/kubelet"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "cluster.lock.yaml"


def test_hosts_get_files_with_digests(ctx: Context, settings: Settings, lock: Path) -> None:
    resolved = resolve(ctx, needs(), settings, lock, Silent())
    files = {one.path: one for one in resolved.files("worker", "amd64")}
    kubelet = files["/usr/local/bin/kubelet"]
    assert kubelet.sha256 == digest(contents()[KUBELET])
    assert (kubelet.size, kubelet.mode) == (len(contents()[KUBELET]), "0755")
    assert "/usr/local/bin/kubectl" not in files
    assert "/opt/cni/bin/flannel" in files


def test_hosts_get_images_in_order_with_archives(ctx: Context, settings: Settings, lock: Path) -> None:
    resolved = resolve(ctx, needs(), settings, lock, Silent())
    images = resolved.images("control-plane", "amd64")
    assert [one.name for one in images][:2] == [
        "registry.k8s.io/pause:3.10.2",
        "registry.k8s.io/etcd:3.6.16-0",
    ]
    assert images[0].name == resolved.image("pause")
    assert resolved.version("containerd") == "v2.2.9"
    for one in images:
        assert one.digest.startswith("sha256:")
        assert one.archive_sha256 is not None
        path = resolved.directory / one.archive_sha256[:2] / one.archive_sha256
        assert path.stat().st_size == one.archive_size
    assert {one.name for one in resolved.images("worker", "amd64")} < {one.name for one in images}


def test_everything_hosts_ask_for_has_a_path(ctx: Context, settings: Settings, lock: Path) -> None:
    resolved = resolve(ctx, needs(), settings, lock, Silent())
    blobs = resolved.blobs()
    for role in ("control-plane", "worker"):
        asked = {one.sha256 for one in resolved.files(role, "amd64")}
        asked |= {str(one.archive_sha256) for one in resolved.images(role, "amd64")}
        assert asked <= blobs.keys()
    assert all(digest(path.read_bytes()) == name for name, path in blobs.items())
    assert digest(contents()[f"kubernetes/{VERSION}/linux-amd64/kube-apiserver"]) not in blobs


def test_both_architectures_at_once(ctx: Context, settings: Settings, lock: Path, directory: Path) -> None:
    fill(directory, contents("amd64", "arm64"))
    resolved = resolve(ctx, needs("amd64", "arm64"), settings, lock, Silent())
    one, other = (resolved.images("worker", arch) for arch in ("amd64", "arm64"))
    assert [image.name for image in one] == [image.name for image in other]
    assert not {image.digest for image in one} & {image.digest for image in other}


def test_without_flannel_nothing_of_it_is_needed(ctx: Context, settings: Settings, directory: Path) -> None:
    fill(directory, {name: content for name, content in contents().items() if "flannel" not in name})
    resolved = resolve(ctx, needs(network="none"), settings, None, Silent())
    assert not [one for one in resolved.images("worker", "amd64") if "flannel" in one.name]


def test_a_second_time_is_the_same_and_quick(ctx: Context, settings: Settings, lock: Path) -> None:
    first = resolve(ctx, needs(), settings, lock, Silent())
    stamp = lock.stat().st_mtime_ns
    offline = settings.model_copy(update={"artifact_directory": None})
    started = time.monotonic()
    second = resolve(ctx, needs(), offline, lock, Silent())
    assert time.monotonic() - started < 0.3
    assert second.images("control-plane", "amd64") == first.images("control-plane", "amd64")
    assert second.files("control-plane", "amd64") == first.files("control-plane", "amd64")
    assert lock.stat().st_mtime_ns == stamp


def test_the_lock_pins_files_and_images(ctx: Context, settings: Settings, lock: Path) -> None:
    resolved = resolve(ctx, needs(), settings, lock, Silent())
    pinned = yaml.safe_load(lock.read_text())
    assert pinned["files"][KUBELET]["sha256"] == digest(contents()[KUBELET])
    pause = resolved.images("worker", "amd64")[0]
    image = pinned["images"][f"{pause.name} linux-amd64"]
    assert (image["digest"], image["archive"], image["size"]) == (
        pause.digest,
        pause.archive_sha256,
        pause.archive_size,
    )


def test_without_a_lock_nothing_is_written(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    resolve(ctx, needs(), settings, None, Silent())
    assert not list(tmp_path.glob("*.lock.yaml"))


def test_a_lock_is_added_to_and_never_changed(ctx: Context, settings: Settings, lock: Path) -> None:
    workers = Needs(VERSION, frozenset({("worker", "amd64")}))
    resolve(ctx, workers, settings, lock, Silent())
    before = yaml.safe_load(lock.read_text())["files"]
    resolve(ctx, needs(), settings, lock, Silent())
    after = yaml.safe_load(lock.read_text())["files"]
    assert before.items() < after.items()


def test_another_file_than_the_pinned_one_is_refused(
    ctx: Context, settings: Settings, lock: Path, directory: Path, tmp_path: Path
) -> None:
    resolve(ctx, needs(), settings, lock, Silent())
    before = lock.read_text()
    fill(directory, {**contents(), KUBELET: b"evil"})
    elsewhere = settings.model_copy(update={"cache_dir": tmp_path / "other"})
    with pytest.raises(DigestMismatch) as raised:
        resolve(ctx, needs(), elsewhere, lock, Silent())
    assert raised.value.file == KUBELET
    assert (raised.value.expected, raised.value.found) == (digest(contents()[KUBELET]), digest(b"evil"))
    assert raised.value.source == str(directory / "SHA256SUMS")
    assert not (tmp_path / "other").exists()
    assert lock.read_text() == before


def test_a_pinned_file_is_found_in_the_cache_whatever_its_name_stands_for_now(
    ctx: Context, settings: Settings, lock: Path, directory: Path, tmp_path: Path
) -> None:
    resolve(ctx, needs(), settings, lock, Silent())
    (settings.cache_dir / "index" / f"{KUBELET}.json").unlink()
    fill(directory, {**contents(), KUBELET: b"newer"})
    other = resolve(ctx, needs(), settings, tmp_path / "other.lock.yaml", Silent())
    again = resolve(ctx, needs(), settings, lock, Silent())
    assert other.files("worker", "amd64")[0].sha256 == digest(b"newer")
    assert again.files("worker", "amd64")[0].sha256 == digest(contents()[KUBELET])


def test_an_image_of_another_content_than_the_pinned_is_refused(
    ctx: Context, settings: Settings, lock: Path
) -> None:
    resolve(ctx, needs(), settings, lock, Silent())
    pinned = yaml.safe_load(lock.read_text())
    key = "registry.k8s.io/pause:3.10.2 linux-amd64"
    pinned["images"][key]["content"] = f"sha256:{digest(b'other')}"
    lock.write_text(yaml.safe_dump(pinned))
    with pytest.raises(DigestMismatch) as raised:
        resolve(ctx, needs(), settings, lock, Silent())
    assert raised.value.file == key


def test_a_missing_file_names_itself_and_what_each_source_said(
    ctx: Context, settings: Settings, directory: Path
) -> None:
    fill(directory, {name: content for name, content in contents().items() if name != KUBELET})
    with pytest.raises(ArtifactFailed) as raised:
        resolve(ctx, needs(), settings, None, Silent())
    assert f"{KUBELET} (cache: not there; directory: not listed in SHA256SUMS)" in raised.value.message
    assert "1 of" in raised.value.message


def test_offline_asks_nobody_else(ctx: Context, settings: Settings) -> None:
    alone = settings.model_copy(update={"artifact_directory": None})
    with pytest.raises(ArtifactFailed, match=r"kubelet.* \(cache: not there\)"):
        resolve(ctx, needs(), alone, None, Silent())


@pytest.mark.usefixtures("quick")
def test_a_mirror_serves_a_whole_release(ctx: Context, settings: Settings, site: Site) -> None:
    files = contents()
    site.files = {f"/{name}": content for name, content in files.items()}
    site.files["/SHA256SUMS"] = "".join(f"{digest(c)}  {n}\n" for n, c in files.items()).encode()
    mirrored = settings.model_copy(update={"artifact_directory": None, "artifact_mirror": site.url})
    resolved = resolve(ctx, needs(), mirrored, None, Silent())
    assert resolved.files("worker", "amd64")[0].sha256 == digest(files[KUBELET])


def test_an_unknown_version_is_refused(ctx: Context, settings: Settings) -> None:
    with pytest.raises(NotSupported):
        resolve(ctx, Needs("v1.1.1", frozenset()), settings, None, Silent())


def test_a_resolve_can_be_cancelled(ctx: Context, settings: Settings, lock: Path) -> None:
    ctx.cancelled.set()
    with pytest.raises(Cancelled):
        resolve(ctx, needs(), settings, lock, Silent())
    assert not lock.exists()


DIGEST = f"sha256:{digest(b'manifest')}"


@pytest.fixture
def pulling(settings: Settings, site: Site) -> Settings:
    site.answer = lambda handler: site.say(handler, 200, b"", {"Docker-Content-Digest": DIGEST})
    return settings.model_copy(update={"image_source": "pull", "image_registry": site.url})


def test_hosts_pull_by_name_where_that_is_set(
    ctx: Context, pulling: Settings, lock: Path, site: Site, directory: Path
) -> None:
    fill(directory, {n: c for n, c in contents().items() if "kube-apiserver" not in n and "rootfs" not in n})
    resolved = resolve(ctx, needs(), pulling, lock, Silent())
    images = resolved.images("control-plane", "amd64")
    assert {(one.digest, one.archive_sha256, one.archive_size) for one in images} == {(DIGEST, None, None)}
    assert len(site.requests) == 8
    assert all(path.parent.name == sha256[:2] for sha256, path in resolved.blobs().items())
    site.requests.clear()
    resolve(ctx, needs(), pulling, lock, Silent())
    assert site.requests == [], "pinned digests are not asked for again"


def test_what_was_assembled_is_not_what_hosts_pull(
    ctx: Context, settings: Settings, pulling: Settings, lock: Path
) -> None:
    made = resolve(ctx, needs(), settings, lock, Silent()).images("worker", "amd64")[0]
    pulled = resolve(ctx, needs(), pulling, lock, Silent()).images("worker", "amd64")[0]
    assert made.digest != pulled.digest == DIGEST


def test_the_room_lists_what_it_offers() -> None:
    assert all(getattr(artifacts, name) is not None for name in artifacts.__all__)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = artifacts.other
