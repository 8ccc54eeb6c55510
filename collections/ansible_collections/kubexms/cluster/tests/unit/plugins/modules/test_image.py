# SPDX-License-Identifier: GPL-3.0-or-later
"""The module image, whole: every way by which an image comes, and what is verified."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils._stage_images_ctr import parse_images

DATA = Path(__file__).resolve().parents[2] / "data"
CTR = ["ctr", "--namespace", "k8s.io", "images"]
LIST = [*CTR, "ls"]
PAUSE = "registry.k8s.io/pause:3.10.2"
ETCD = "registry.k8s.io/etcd:3.6.16-0"
DIGEST = "sha256:" + "5" * 64
OTHER = "sha256:" + "6" * 64
ARCHIVE = b"archive" * 10_000


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def listed(**names):
    """Return the row of ``ctr images ls`` for the images: pause=DIGEST."""
    full = {"pause": PAUSE, "etcd": ETCD}
    rows = [f"{full[name]} application/x {digest} 1.0 MiB linux/amd64 -" for name, digest in names.items()]
    return (LIST, 0, "\n".join(["REF TYPE DIGEST SIZE PLATFORMS LABELS", *rows]))


@pytest.fixture
def arguments(host, server):
    host.write("/run/containerd/containerd.sock", "")
    server.serve(ARCHIVE)
    archive = {"sha256": sha256(ARCHIVE), "size": len(ARCHIVE)}
    return {"url": server.url, "images": [{"name": PAUSE, "digest": DIGEST, "archive": archive}]}


@pytest.mark.parametrize("path", sorted(DATA.glob("ctr-*-images-ls.txt")), ids=lambda path: path.stem)
def test_the_table_of_images(path):
    found = parse_images(path.read_text())
    assert found[PAUSE] == "sha256:57c5dca956463c689197f3a1e0d9048c99879763ee14e7ea71e22fa58d35bc6c"
    assert found[ETCD] == "sha256:e7d0d2cc9740645592c4729406b4c64cfaeefe75860b3c7895a8f93cbe518b48"
    assert all(digest.startswith("sha256:") for digest in found.values())
    assert len(found) == 16


@pytest.mark.parametrize("text", ["", "REF TYPE DIGEST SIZE PLATFORMS LABELS\n"])
def test_no_images(text):
    assert parse_images(text) == {}


def test_present_images_are_one_look(run, programs, server, arguments):
    programs.expect(listed(pause=DIGEST))
    assert not run("image", arguments)["changed"]
    assert server.requests == []


def test_a_digest_that_only_begins_alike_differs(run, programs, server, arguments):
    alike = DIGEST[:-1] + "0"
    programs.expect(listed(pause=alike))
    assert run("image", arguments, check=True).row(f"image {PAUSE}") == (alike[:19], DIGEST[:19])


def test_check_mode_brings_nothing(run, programs, server, arguments):
    programs.expect(listed(pause=OTHER))
    result = run("image", arguments, check=True)
    assert result.row(f"image {PAUSE}") == (OTHER[:19], DIGEST[:19])
    assert server.requests == []


def test_without_containerd_everything_is_missing(run, host, arguments):
    host.path("/run/containerd/containerd.sock").unlink()
    assert run("image", arguments, check=True).paths == [f"image {PAUSE}"]


def test_an_archive_is_pulled_where_it_is_served_as_a_registry(
    run, host, programs, server, arguments, monkeypatch
):
    server.archives.add(sha256(ARCHIVE))
    folder = host.path(f"/var/lib/kubexms/images/{sha256(ARCHIVE)}")
    registry = f"{server.url}/sha256/{sha256(ARCHIVE)}/v2"
    seen = []
    run_command = programs.run_command

    def look(argv, **options):
        if "pull" in argv:
            seen.append(tomllib.loads((folder / "registry.k8s.io/hosts.toml").read_text()))
        return run_command(argv, **options)

    monkeypatch.setattr(programs, "run_command", look)
    programs.expect(listed(), [*CTR, "pull", "--hosts-dir", str(folder), PAUSE], listed(pause=DIGEST))
    assert run("image", arguments).paths == [f"image {PAUSE}"]
    assert seen == [{"server": registry, "host": {registry: {"capabilities": ["pull", "resolve"]}}}]
    assert server.paths == [f"/sha256/{sha256(ARCHIVE)}/v2/"]
    assert not folder.parent.exists()


def test_an_archive_is_downloaded_and_imported_where_it_is_a_file(run, host, programs, server, arguments):
    path = host.path(f"/var/lib/kubexms/images/{sha256(ARCHIVE)}")
    programs.expect(listed(), [*CTR, "import", "--local", str(path)], listed(pause=DIGEST))
    assert run("image", arguments)["changed"]
    assert server.paths == [
        f"/sha256/{sha256(ARCHIVE)}/v2/",
        f"/sha256/{sha256(ARCHIVE)}",
    ]
    assert not path.parent.exists()


def test_an_archive_with_other_bytes_is_not_imported(run, programs, server, arguments):
    server.files[sha256(ARCHIVE)] = b"another" * 10_000
    programs.expect(listed())
    assert run("image", arguments)["code"] == "digest-mismatch"


def test_a_name_that_points_elsewhere_is_taken_away(run, host, programs, arguments):
    path = host.path(f"/var/lib/kubexms/images/{sha256(ARCHIVE)}")
    programs.expect(
        listed(), [*CTR, "import", "--local", str(path)], listed(pause=OTHER), [*CTR, "rm", PAUSE]
    )
    result = run("image", arguments)
    assert (result["code"], result["retriable"]) == ("digest-mismatch", False)
    assert f"image {PAUSE} has manifest {OTHER}, expected {DIGEST}" in result["msg"]


def test_an_archive_with_another_image(run, host, programs, arguments):
    path = host.path(f"/var/lib/kubexms/images/{sha256(ARCHIVE)}")
    programs.expect(listed(), [*CTR, "import", "--local", str(path)], listed(etcd=OTHER))
    assert f"image {PAUSE} has manifest none" in run("image", arguments)["msg"]


def test_an_image_without_archive_is_pulled_by_its_name(run, host, programs, arguments):
    images = [{"name": PAUSE, "digest": DIGEST}]
    programs.expect(listed(), [*CTR, "pull", PAUSE], listed(pause=DIGEST))
    assert run("image", {"images": images})["changed"]
    host.write("/etc/containerd/certs.d/docker.io/hosts.toml", "")
    registries = str(host.path("/etc/containerd/certs.d"))
    programs.expect(listed(), [*CTR, "pull", "--hosts-dir", registries, PAUSE], listed(pause=DIGEST))
    assert run("image", {"images": images})["changed"]


def test_a_pull_that_fails_may_be_tried_again(run, programs, arguments):
    failed = ([*CTR, "pull", PAUSE], 1, "", "ctr: failed to resolve reference: dial tcp: i/o timeout\n")
    programs.expect(listed(), failed)
    result = run("image", {"images": [{"name": PAUSE, "digest": DIGEST}]})
    assert (result["code"], result["retriable"]) == ("download-failed", True)
    assert f"image {PAUSE} could not be pulled: ctr: failed to resolve" in result["msg"]
    assert result["tail"] == ["ctr: failed to resolve reference: dial tcp: i/o timeout"]


def test_a_pull_that_fails_silently(run, programs, arguments):
    programs.expect(listed(), ([*CTR, "pull", PAUSE], 2))
    result = run("image", {"images": [{"name": PAUSE, "digest": DIGEST}]})
    assert "ended with status 2" in result["msg"]


def test_what_cannot_be_fetched_is_missing_with_a_directory(run, programs, arguments):
    programs.expect(listed())
    result = run("image", {**arguments, "url": "", "directory": "/somewhere"})
    assert (result["changed"], result["missing"]) == (True, [sha256(ARCHIVE)])


def test_what_cannot_be_fetched_is_an_error_without(run, programs, arguments):
    programs.expect(listed())
    result = run("image", {**arguments, "url": ""})
    assert (result["code"], "set url" in result["hint"]) == ("download-failed", True)


def test_a_staged_archive_is_imported(run, host, programs, arguments):
    path = host.write("/tmp/archive", ARCHIVE.decode())
    staged = {sha256(ARCHIVE): str(path)}
    programs.expect(listed(), [*CTR, "import", "--local", str(path)], listed(pause=DIGEST))
    assert run("image", {**arguments, "directory": "/somewhere", "staged": staged})["changed"]


def test_a_staged_archive_with_other_bytes_is_refused(run, host, programs, arguments):
    staged = {sha256(ARCHIVE): str(host.write("/tmp/archive", "other"))}
    programs.expect(listed())
    result = run("image", {**arguments, "directory": "/somewhere", "staged": staged})
    assert result["code"] == "digest-mismatch"


def test_a_second_call_that_lacks_an_archive_fails(run, host, programs, server, arguments):
    other = {"name": ETCD, "digest": OTHER, "archive": {"sha256": sha256(b"etcd"), "size": 4}}
    staged = {sha256(ARCHIVE): str(host.write("/tmp/archive", ARCHIVE.decode()))}
    programs.expect(listed(), [*CTR, "import", "--local", staged[sha256(ARCHIVE)]], ordered=False)
    images = [*arguments["images"], other]
    result = run("image", {**arguments, "images": images, "directory": "/somewhere", "staged": staged})
    assert (result["code"], sha256(b"etcd") in result["msg"]) == ("download-failed", True)


def test_several_images_at_once(run, host, programs, arguments):
    host.path("/etc/containerd").mkdir(parents=True)
    images = [{"name": PAUSE, "digest": DIGEST}, {"name": ETCD, "digest": OTHER}]
    programs.expect(
        listed(), [*CTR, "pull", PAUSE], [*CTR, "pull", ETCD], listed(pause=DIGEST, etcd=OTHER), ordered=False
    )
    assert run("image", {"images": images}).paths == [f"image {PAUSE}", f"image {ETCD}"]
