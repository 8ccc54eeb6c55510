# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the distribution, by apt or dnf. They stay on reset: others may have come to need them."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError, PreflightError

_PREFIX = "package "
_SECONDS = 900
_LOCK_SECONDS = 300
_APT = [
    "apt-get",
    "--yes",
    "--no-install-recommends",
    "--option=DPkg::Lock::Timeout={0}".format(_LOCK_SECONDS),
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
]
_APT_ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_SUSPEND": "1",  # or it restarts services, the runtime's among them
}
_LOCKED = "Could not get lock"
_HINT = "see whether the host reaches its package mirrors"


def parse_dpkg(text):
    """Return the names that are installed, from lines of ``name status``."""
    words = [line.split() for line in text.splitlines()]
    return {line[0] for line in words if line[1:] == ["installed"]}


def installed(client, names):
    """Return those of ``names`` that are installed, by one call of the package database."""
    if client.which("dpkg-query"):
        query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
        return parse_dpkg(client.run(query, check=False).stdout)
    if client.which("rpm"):
        query = ["rpm", "--query", "--queryformat=%{NAME}\\n", *names]
        return set(client.run(query, check=False).stdout.splitlines())
    raise PreflightError(
        "neither dpkg nor rpm is there to install {0}".format(", ".join(names)),
        hint="install them by hand and leave packages empty",
    )


def compare(client, params, differences):
    """Record packages that are not installed."""
    names = params["packages"]
    there = installed(client, names) if names else set()
    for name in names:
        differences.compare(_PREFIX + name, "installed" if name in there else "absent", "installed")


def note(params, differences, record):
    """Packages stay, so nothing is kept."""


def apply(client, params, differences, record):  # noqa: ARG001
    """Install what is absent."""
    names = [name for name in params["packages"] if differences.has(_PREFIX + name)]
    if not names:
        return
    if client.which("apt-get"):
        _apt_install(client, names)
    else:
        client.run(["dnf", "--assumeyes", "install", *names], seconds=_SECONDS)


def _apt_install(client, names):
    """Install by apt; its lists are fetched only when the packages cannot be had without."""
    install = [*_APT, "install", *names]
    first = client.run(install, check=False, seconds=_SECONDS, environment=_APT_ENVIRONMENT)
    if first.status == 0:
        return
    client.wait(lambda: _apt_updated(client), _LOCK_SECONDS, "fetching apt's package lists", interval=2)
    client.run(install, seconds=_SECONDS, hint=_HINT, environment=_APT_ENVIRONMENT)


def _apt_updated(client):
    """Update apt's lists; false while another apt holds them."""
    argv = [*_APT, "update"]
    result = client.run(argv, check=False, seconds=_SECONDS, environment=_APT_ENVIRONMENT)
    if result.status != 0 and _LOCKED not in result.stderr:
        raise CommandError(argv, result.status, result.stdout, result.stderr, hint=_HINT)
    return result.status == 0


def revert(client, record):
    """Packages stay."""
