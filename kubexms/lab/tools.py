# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that a lab needs, and the Debian packages they come from."""

import os
import shutil
from collections.abc import Mapping

from kubexms.context import Context
from kubexms.errors import NotSupported, Refused
from kubexms.lab.command import Commands, Report, run

PACKAGES: Mapping[str, str] = {
    "podman": "podman",
    "runc": "runc",
    "netavark": "netavark",
    "aardvark-dns": "aardvark-dns",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
_DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/lib/podman", "/usr/libexec/podman")


def missing_packages() -> list[str]:
    """Return the packages whose programs are not on this machine, each once."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_DIRECTORIES])
    found = {program: shutil.which(program, path=path) for program in PACKAGES}
    return list(dict.fromkeys(PACKAGES[program] for program, where in found.items() if where is None))


def require_tools(ctx: Context, commands: Commands, report: Report, *, install: bool = False) -> None:
    """Make sure that this user and this machine can run a lab; install what is missing when asked to."""
    require_root()
    missing = missing_packages()
    if not missing:
        return
    argv = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if not install:
        raise NotSupported(
            f"the lab needs packages that are not installed: {', '.join(missing)}",
            hint=f"run: {' '.join(argv)}, or add --install",
        )
    if shutil.which("apt-get") is None:
        raise NotSupported(
            "the lab can install packages on Debian only", hint=f"install {', '.join(missing)}"
        )
    report(f"installing {', '.join(missing)}")
    run(ctx, commands, ["apt-get", "update", "--quiet"])
    run(ctx, commands, ["env", "DEBIAN_FRONTEND=noninteractive", *argv])


def require_root() -> None:
    """Refuse users who cannot make privileged containers."""
    if os.geteuid() != 0:
        raise Refused("the lab makes privileged containers and needs root", hint="run it as root or by sudo")
