# SPDX-License-Identifier: GPL-3.0-or-later
"""What baseline.sh copies to hosts: the same bytes that kubexms deploys, out of the same cache."""

import shutil
from pathlib import Path

from kubexms.artifacts import Needs, Resolved, Role, Silent, resolve
from kubexms.context import Context
from kubexms.settings import Settings

VERSION = "v1.36.3"
ROLES: tuple[Role, ...] = ("control-plane", "worker")


def make_kit(directory: Path) -> Path:
    """Write the kit's folders and versions.env into ``directory`` and return it; downloads nothing cached."""
    directory.mkdir(parents=True, exist_ok=True)
    needs = Needs(VERSION, frozenset((role, "amd64") for role in ROLES))
    resolved = resolve(Context(), needs, Settings(), directory / "lock.yaml", Silent())
    for role in ROLES:
        _fill(resolved, role, directory / role)
    (directory / "versions.env").write_text(versions(resolved))
    return directory


def _fill(resolved: Resolved, role: Role, directory: Path) -> None:
    """Copy a role's binaries, CNI plugins and image archives."""
    for name in ("bin", "cni", "images"):
        (directory / name).mkdir(parents=True)
    for file in resolved.files(role, "amd64"):
        folder = "cni" if file.path.startswith("/opt/cni/") else "bin"
        shutil.copyfile(resolved.cache.path(file.sha256), directory / folder / Path(file.path).name)
    for index, image in enumerate(resolved.images(role, "amd64")):
        if image.archive_sha256:
            shutil.copyfile(resolved.cache.path(image.archive_sha256), directory / "images" / f"{index}.tar")


def versions(resolved: Resolved) -> str:
    """Return the shell variables that the configuration files of the baseline are filled with."""
    tags = {name: resolved.image(name).rpartition(":")[2] for name in ("etcd", "coredns")}
    values = {
        "KUBERNETES": VERSION,
        "PAUSE": resolved.image("pause"),
        "FLANNEL": resolved.image("flannel"),
        "ETCD_TAG": tags["etcd"],
        "COREDNS_TAG": tags["coredns"],
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
