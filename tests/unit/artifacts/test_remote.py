# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors and publishers against a server on the loopback."""

import dataclasses
import gzip
from pathlib import Path

import pytest

from kubexms.artifacts import catalogue
from kubexms.artifacts.catalogue import Official, Selection
from kubexms.artifacts.model import Item
from kubexms.artifacts.sources import Desk, Wanted
from kubexms.artifacts.sources.mirror import MirrorSource
from kubexms.artifacts.sources.official import OfficialSource
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch
from tests.unit.artifacts.helpers import VERSION, Site, digest, tar_of

ONE = Item("etcd", "v3.6.16", "amd64", "etcd")
TWO = Item("etcd", "v3.6.16", "amd64", "etcdctl")
KUBELET = Item("kubernetes", VERSION, "amd64", "kubelet")
PAUSE = Item("pause", "3.10.2", "amd64", "pause")

pytestmark = pytest.mark.usefixtures("quick")


def listing(files: dict[str, bytes]) -> bytes:
    return "".join(f"{digest(content)}  {name}\n" for name, content in files.items()).encode()


def test_a_mirror_has_what_its_list_names(ctx: Context, desk: Desk, site: Site) -> None:
    site.files = {f"/m/{ONE.name}": b"1", "/m/SHA256SUMS": listing({ONE.name: b"1"})}
    source = MirrorSource(f"{site.url}/m/")
    outcome = source.fetch(ctx, [Wanted(ONE), Wanted(TWO)], desk)
    assert outcome.found[ONE].sha256 == digest(b"1")
    assert outcome.found[ONE].source == source.label == f"mirror {site.url}/m"
    assert "not listed" in outcome.missing[TWO]


def test_a_pinned_file_needs_no_list(ctx: Context, desk: Desk, site: Site) -> None:
    site.files = {f"/{ONE.name}": b"1"}
    outcome = MirrorSource(site.url).fetch(ctx, [Wanted(ONE, digest(b"1"))], desk)
    assert ONE in outcome.found


def test_a_mirror_whose_list_contradicts_the_lock_is_an_error(ctx: Context, desk: Desk, site: Site) -> None:
    site.files = {f"/{ONE.name}": b"1", "/SHA256SUMS": listing({ONE.name: b"1"})}
    with pytest.raises(DigestMismatch) as raised:
        MirrorSource(site.url).fetch(ctx, [Wanted(ONE, digest(b"pinned"))], desk)
    assert raised.value.source == f"mirror {site.url}"


def test_a_mirror_that_serves_other_bytes_is_an_error(ctx: Context, desk: Desk, site: Site) -> None:
    site.files = {f"/{ONE.name}": b"evil", "/SHA256SUMS": listing({ONE.name: b"1"})}
    with pytest.raises(DigestMismatch):
        MirrorSource(site.url).fetch(ctx, [Wanted(ONE)], desk)
    assert desk.cache.lookup(ctx, ONE.name) is None


def test_a_mirror_that_cannot_be_reached_has_nothing(ctx: Context, desk: Desk) -> None:
    outcome = MirrorSource("http://127.0.0.1:9").fetch(ctx, [Wanted(ONE)], desk)
    assert "cannot fetch" in outcome.missing[ONE]


@pytest.fixture
def published(site: Site) -> Selection:
    """Return the catalogue's release with all official locations on the loopback."""
    selection = catalogue.load().select(VERSION)
    components = {
        name: component.model_copy(
            update={"official": component.official and _moved(component.official, site.url)}
        )
        for name, component in selection.components.items()
    }
    return dataclasses.replace(selection, components=components)


def _moved(official: Official, url: str) -> Official:
    host = official.url.split("/", 3)[2]
    return Official(
        url=official.url.replace(f"https://{host}", url),
        checksum=official.checksum.replace(f"https://{host}", url),
        member=official.member,
    )


ETCD = "/etcd-io/etcd/releases/download/v3.6.16"
ETCD_TAR = "etcd-v3.6.16-linux-amd64.tar.gz"
KUBELET_URL = f"/release/{VERSION}/bin/linux/amd64/kubelet"


def etcd_release(site: Site, members: dict[str, bytes]) -> None:
    archive = gzip.compress(tar_of({f"etcd-v3.6.16-linux-amd64/{n}": c for n, c in members.items()}))
    site.files |= {
        f"{ETCD}/{ETCD_TAR}": archive,
        f"{ETCD}/SHA256SUMS": listing({"etcd-v3.6.16-linux-arm64.tar.gz": b"", ETCD_TAR: archive}),
    }


def test_a_publishers_file_is_verified_by_its_checksum(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    site.files = {KUBELET_URL: b"kubelet", f"{KUBELET_URL}.sha256": digest(b"kubelet").encode()}
    outcome = OfficialSource(published).fetch(ctx, [Wanted(KUBELET), Wanted(PAUSE)], desk)
    assert outcome.found[KUBELET].source == f"{site.url}{KUBELET_URL}"
    assert outcome.missing == {PAUSE: "not published with a checksum"}


def test_an_archive_is_fetched_once_for_all_its_members(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    etcd_release(site, {"README": b"r", "etcd": b"1", "etcdctl": b"2"})
    outcome = OfficialSource(published).fetch(ctx, [Wanted(ONE), Wanted(TWO, digest(b"2"))], desk)
    assert (outcome.found[ONE].sha256, outcome.found[TWO].sha256) == (digest(b"1"), digest(b"2"))
    assert len([path for _, path, _ in site.requests if path.endswith(".tar.gz")]) == 1
    assert {path.suffix for path in desk.cache.partial.iterdir()} <= {".lock"}


def test_a_member_that_is_not_in_the_archive_is_missing(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    etcd_release(site, {"etcd": b"1"})
    outcome = OfficialSource(published).fetch(ctx, [Wanted(ONE), Wanted(TWO)], desk)
    assert outcome.missing == {TWO: "not in the archive"}


def test_a_member_unlike_the_pinned_one_is_an_error(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    etcd_release(site, {"etcd": b"1"})
    with pytest.raises(DigestMismatch) as raised:
        OfficialSource(published).fetch(ctx, [Wanted(ONE, digest(b"pinned"))], desk)
    assert raised.value.file == ONE.name


def test_a_checksum_unlike_the_pinned_one_is_an_error_before_the_download(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    site.files = {KUBELET_URL: b"kubelet", f"{KUBELET_URL}.sha256": digest(b"kubelet").encode()}
    with pytest.raises(DigestMismatch):
        OfficialSource(published).fetch(ctx, [Wanted(KUBELET, digest(b"pinned"))], desk)
    assert [path for _, path, _ in site.requests] == [f"{KUBELET_URL}.sha256"]


def test_an_archive_that_is_none_is_an_error(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    site.files = {
        f"{ETCD}/{ETCD_TAR}": b"<html>",
        f"{ETCD}/SHA256SUMS": listing({ETCD_TAR: b"<html>"}),
    }
    with pytest.raises(ArtifactFailed, match="cannot unpack"):
        OfficialSource(published).fetch(ctx, [Wanted(ONE)], desk)


def test_without_a_checksum_nothing_is_downloaded(
    ctx: Context, desk: Desk, site: Site, published: Selection
) -> None:
    site.files = {KUBELET_URL: b"kubelet", f"{KUBELET_URL}.sha256": b"<html>"}
    outcome = OfficialSource(published).fetch(ctx, [Wanted(KUBELET)], desk)
    assert "has no checksum of kubelet" in outcome.missing[KUBELET]


def test_an_unreachable_publisher_is_asked_once(
    ctx: Context, desk: Desk, published: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubexms.artifacts.sources.remote._AT_ONCE", 1)
    nowhere = Official(url="http://127.0.0.1:9/{file}", checksum="http://127.0.0.1:9/{file}.sha256")
    kubernetes = published.components["kubernetes"].model_copy(update={"official": nowhere})
    selection = dataclasses.replace(published, components={"kubernetes": kubernetes})
    other = dataclasses.replace(KUBELET, file="kubeadm")
    outcome = OfficialSource(selection).fetch(ctx, [Wanted(KUBELET), Wanted(other)], desk)
    assert outcome.missing[KUBELET] == outcome.missing[other]
    assert "kubelet.sha256" in outcome.missing[other]
    assert not Path(desk.cache.root / "index").exists()
