# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what can be seen of this host. Runs on lab hosts, fed to python3 by ssh.

The argument says what: ``state`` is what a reset must restore, ``running`` what a deployment without
changes must not touch.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOTS = ("/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var/lib")
# Written by the system itself at its own times, or by ssh logins.
NOISE = (
    "/etc/mtab",
    "/etc/resolv.conf",
    "/var/lib/dbus",
    "/var/lib/private",
    "/var/lib/systemd",
)
# Mount points in the lab: they cannot be removed, and containerd narrows the mode of its own.
MOUNTED = ("/var/lib/containerd", "/var/lib/etcd", "/var/lib/kubelet")
LARGE = 1 << 20
WATCHED = (
    "/etc/cni",
    "/etc/containerd",
    "/etc/default",
    "/etc/hosts",
    "/etc/kubernetes",
    "/etc/kubexms",
    "/etc/modules-load.d",
    "/etc/sysctl.d",
    "/etc/systemd/system",
    "/opt/cni",
    "/usr/local/bin",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/var/lib/kubexms",
)


def run(*argv: str) -> str:
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout


def walk(top: Path) -> Iterator[Path]:
    yield top
    if top.is_dir() and not top.is_symlink():
        for path in sorted(top.iterdir()):
            if str(path) not in NOISE:
                yield from walk(path)


def describe(path: Path, *, times: bool) -> str:
    """Mode, owner and content of a path in one line; with its time of change where that matters."""
    if str(path) in MOUNTED:
        return "mounted"
    status = path.lstat()
    words = [f"{status.st_mode:o}", f"{status.st_uid}:{status.st_gid}"]
    if path.is_symlink():
        words.append(f"-> {path.readlink()}")
    elif path.is_file():
        small = status.st_size < LARGE
        words.append(hashlib.sha256(path.read_bytes()).hexdigest() if small else str(status.st_size))
    return " ".join([*words, str(status.st_mtime_ns)] if times else words)


def files(tops: Iterable[str], *, times: bool) -> dict[str, str]:
    found = (path for top in tops if Path(top).exists() for path in walk(Path(top)))
    return {str(path): describe(path, times=times) for path in found}


def rules() -> list[str]:
    """Packet filter rules, without counters, comments and empty built-in chains."""
    lines = []
    for program in ("iptables-save", "ip6tables-save"):
        lines += [program + " " + line for line in run(program).splitlines() if line.startswith("-A")]
    tables = run("nft", "list", "tables").splitlines()
    return sorted(lines) + sorted(line for line in tables if "filter" not in line and "nat" not in line)


def units() -> list[str]:
    listing = run("systemctl", "list-unit-files", "--no-legend", "--plain")
    return sorted(" ".join(line.split()[:2]) for line in listing.splitlines())


def mounts() -> list[str]:
    return sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())


def sysctls() -> list[str]:
    keys = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv4.conf.all.rp_filter")
    return [run("sysctl", key).strip() for key in keys]


def services() -> list[str]:
    properties = (
        "--property=Id,MainPID,NRestarts,ActiveEnterTimestampMonotonic,InactiveExitTimestampMonotonic"
    )
    return run("systemctl", "show", properties, "containerd", "kubelet").split()


def containers() -> list[str]:
    """Task ids and process ids of all containers."""
    listing = run("/usr/local/bin/ctr", "--namespace", "k8s.io", "tasks", "list")
    return sorted(" ".join(line.split()[:2]) for line in listing.splitlines()[1:])


def state() -> dict[str, object]:
    return {
        "files": files(ROOTS, times=False),
        "units": units(),
        "failed": run("systemctl", "list-units", "--failed", "--no-legend", "--plain").split(),
        "mounts": mounts(),
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "routes": run("ip", "-4", "route").splitlines(),
        "namespaces": run("ip", "netns").split(),
        "rules": rules(),
        "sysctls": sysctls(),
        "hostname": run("hostname").strip(),
    }


def running() -> dict[str, object]:
    return {"files": files(WATCHED, times=True), "services": services(), "containers": containers()}


json.dump({"state": state, "running": running}[sys.argv[1]](), sys.stdout)
