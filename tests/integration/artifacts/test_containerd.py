# SPDX-License-Identifier: GPL-3.0-or-later
"""The assembled images in a real containerd: accepted, named, and with everything that is in them.

Needs root, and the release's binaries where the settings find them (cache or artifact directory).
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubexms.artifacts import ImageArtifact, Needs, Resolved, Silent, catalogue, resolve
from kubexms.context import Context
from kubexms.errors import ArtifactFailed
from kubexms.settings import Settings

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="containerd needs root"),
]

CONFIGURATION = """\
version = 3
root = "{root}/root"
state = "{root}/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
address = "{root}/containerd.sock"
"""


@pytest.fixture(scope="module")
def resolved() -> Resolved:
    """Return the default release as the settings have it, without a download or a build."""
    needs = Needs(catalogue.load().default, frozenset({("control-plane", "amd64")}))
    settings = Settings(artifact_offline=True)
    try:
        return resolve(Context(), needs, settings, None, Silent())
    except ArtifactFailed as cause:
        pytest.skip(f"the binaries are not at hand: {cause.message[:200]}")


@dataclass
class Containerd:
    """A containerd of our own, in a folder of its own."""

    root: Path

    def ctr(self, *arguments: str) -> str:
        """Run ctr against it and return what it printed."""
        argv = [self.root / "ctr", "-a", self.root / "containerd.sock", "-n", "k8s.io", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def snapshot_file(self, name: str) -> Path:
        """Return the one file of this name in the unpacked layers."""
        (found,) = (self.root / "root").glob(f"io.containerd.snapshotter.v1.*/snapshots/*/fs/{name}")
        return found


@pytest.fixture(scope="module")
def containerd(resolved: Resolved) -> Iterator[Containerd]:
    with tempfile.TemporaryDirectory(prefix="kubexms-", dir="/tmp") as folder:
        root = Path(folder)
        for one in resolved.files("control-plane", "amd64"):
            name = Path(one.path).name
            if name in {"containerd", "ctr"}:
                shutil.copyfile(resolved.blobs()[one.sha256], root / name)
                (root / name).chmod(0o755)
        (root / "config.toml").write_text(CONFIGURATION.format(root=root))
        with (root / "log").open("w") as log:
            argv = [root / "containerd", "--config", root / "config.toml"]
            process = subprocess.Popen(argv, stdout=log, stderr=log)
            try:
                wait_for_socket(process, root / "containerd.sock")
                yield Containerd(root)
            finally:
                process.terminate()
                process.wait(timeout=30)


def wait_for_socket(process: subprocess.Popen[bytes], socket: Path) -> None:
    deadline = time.monotonic() + 30
    while not socket.exists():
        assert process.poll() is None, "containerd ended"
        assert time.monotonic() < deadline, "containerd does not listen"
        time.sleep(0.05)


def imported(containerd: Containerd, resolved: Resolved, image: ImageArtifact) -> str:
    """Import an image and return the digest that its name then stands for."""
    assert image.archive_sha256 is not None
    archive = resolved.blobs()[image.archive_sha256]
    containerd.ctr("images", "import", "--local", str(archive))
    lines = containerd.ctr("images", "ls", f"name=={image.name}").splitlines()
    assert len(lines) == 2, lines
    return next(word for word in lines[1].split() if word.startswith("sha256:"))


def test_images_keep_their_names_and_digests(containerd: Containerd, resolved: Resolved) -> None:
    images = {one.name: one for one in resolved.images("control-plane", "amd64")}
    chosen = [images[resolved.image(name)] for name in ("pause", "etcd", "coredns", "kube-proxy", "flannel")]
    assert [imported(containerd, resolved, one) for one in chosen] == [one.digest for one in chosen]


def test_programs_and_their_capabilities_are_unpacked(containerd: Containerd, resolved: Resolved) -> None:
    image = next(one for one in resolved.images("control-plane", "amd64") if "coredns" in one.name)
    imported(containerd, resolved, image)
    program = containerd.snapshot_file("coredns")
    assert program.stat().st_mode & 0o777 == 0o755
    assert os.getxattr(program, "security.capability")[4:8] == bytes.fromhex("00040000")


def test_the_base_of_two_images_is_unpacked_once(containerd: Containerd, resolved: Resolved) -> None:
    for one in resolved.images("control-plane", "amd64"):
        if "kube-proxy" in one.name or "flannel" in one.name:
            imported(containerd, resolved, one)
    assert containerd.snapshot_file("usr/sbin/nft").stat().st_size > 0
    assert os.readlink(containerd.snapshot_file("usr/sbin/iptables")) == "xtables-nft-multi"  # noqa: PTH115
