# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a lab host: a Debian root file system made by mmdebstrap, cached by its recipe's digest."""

import hashlib
import json
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from kubexms.context import Context
from kubexms.lab.command import Commands, Report, run
from kubexms.lab.podman import PODMAN

SUITE = "bookworm"
INIT = Path(__file__).with_name("lab-init")
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3-minimal", "python3-apt", "iproute2",
    "iptables", "nftables", "kmod", "ca-certificates", "conntrack", "ethtool", "socat", "sudo", "procps",
    "runc",
)  # fmt: skip
REPOSITORY = "localhost/kubexms-lab"
PARTIAL = ".partial.tar"


def recipe_digest() -> str:
    """Return the SHA-256 of everything that decides what is in the image."""
    recipe = {"suite": SUITE, "packages": PACKAGES, "init": INIT.read_text(encoding="utf-8")}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def image_name(digest: str) -> str:
    """Return the name in podman's storage of the image made by the recipe ``digest``."""
    return f"{REPOSITORY}:{digest[:16]}"


def bootstrap_argv(target: Path) -> list[str]:
    """Return the argv that makes the root file system as a tar archive."""
    return [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
        f"--customize-hook=copy-in {shlex.quote(str(INIT))} /sbin", SUITE, str(target),
    ]  # fmt: skip


def ensure_image(ctx: Context, commands: Commands, cache_dir: Path, report: Report) -> str:
    """Return the name of the host image, made first when podman does not have it."""
    digest = recipe_digest()
    name = image_name(digest)
    if commands.capture(ctx, [*PODMAN, "image", "exists", name]).status == 0:
        return name
    archive = _ensure_archive(ctx, commands, cache_dir / "lab" / f"{digest}.tar", report)
    report(f"importing the host image {name}")
    run(ctx, commands, [*PODMAN, "import", "--quiet", str(archive), name])
    _forget_others(ctx, commands, archive, name)
    return name


def _forget_others(ctx: Context, commands: Commands, archive: Path, name: str) -> None:
    """Remove archives and images of older recipes; an image that hosts still use stays."""
    for other in archive.parent.glob("*.tar"):
        if other != archive and not other.name.endswith(PARTIAL):
            other.unlink(missing_ok=True)
    images = run(ctx, commands, [*PODMAN, "images", "--format={{.Repository}}:{{.Tag}}", REPOSITORY]).split()
    for image in images:
        if image != name:
            commands.capture(ctx, [*PODMAN, "rmi", image])


def _ensure_archive(ctx: Context, commands: Commands, archive: Path, report: Report) -> Path:
    """Return the root file system's archive, made first when the cache does not have it."""
    if archive.is_file():
        return archive
    archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = archive.with_name(f"{archive.stem}.{os.getpid()}{PARTIAL}")
    report(f"making the hosts' root file system (Debian {SUITE}, {len(PACKAGES)} packages), about 40 s")
    started = time.monotonic()
    try:
        _bootstrap(ctx, commands, bootstrap_argv(partial), report)
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)
    report(f"root file system made in {time.monotonic() - started:.0f} s")
    return archive


def _bootstrap(ctx: Context, commands: Commands, argv: Sequence[str], report: Report) -> None:
    """Run mmdebstrap and pass on the lines that say what it is doing."""
    commands.follow(ctx, argv, lambda line: report(f"  {line[3:]}") if line.startswith("I: ") else None)
