# SPDX-License-Identifier: GPL-3.0-or-later
"""What labs change on this machine itself, and how it is set back: sysctls and cgroups.

Hosts share the kernel, so what they write outside network namespaces is written to this machine. The
values of before the first lab are kept in a file that a reboot clears, as it clears the values.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.lab.command import Commands, run

RUN_DIRECTORY = Path("/run/kubexms/lab")
SYS = Path("/proc/sys")
CGROUP = "kubexms-lab"

INOTIFY_INSTANCES = "fs.inotify.max_user_instances"
INOTIFY_WANTED = 512
_LOOK_SECONDS = 0.1
_EMPTY_SECONDS = 10.0
# Written by systemd, by Debian's sysctl.d and by the kubelet of a host.
SYSCTLS = (
    INOTIFY_INSTANCES,
    "fs.file-max",
    "fs.nr_open",
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.pid_max",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
)


@contextmanager
def locked(ctx: Context, name: str, *, wait: bool, directory: Path = RUN_DIRECTORY) -> Iterator[None]:
    """Hold the lock ``name`` for the block. Where another process has it, wait or be refused.

    The file exists while the lock is held only: it is removed by its holder, and whoever then finds to
    have locked a removed file tries again.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"{name}.lock"
    while (file := _try_lock(path)) is None:
        if not wait:
            raise Refused(f"another command works on {name}", hint="wait until it has ended")
        ctx.wait(_LOOK_SECONDS)
    with file:
        try:
            yield
        finally:
            path.unlink()


def _try_lock(path: Path) -> IO[str] | None:
    """Return the locked file at ``path``, or None when another process has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        current = path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (BlockingIOError, FileNotFoundError):
        current = False
    if current:
        return file
    file.close()
    return None


def prepare_sysctls(*, directory: Path = RUN_DIRECTORY, sys: Path = SYS) -> None:
    """Keep this machine's values, once, and allow the inotify instances that many hosts need."""
    saved = directory / "sysctls.json"
    if not saved.exists():
        values = {key: _sysctl(sys, key).read_text().strip() for key in SYSCTLS if _sysctl(sys, key).exists()}
        saved.write_text(json.dumps(values, indent=2) + "\n")
    instances = _sysctl(sys, INOTIFY_INSTANCES)
    if int(instances.read_text()) < INOTIFY_WANTED:
        instances.write_text(str(INOTIFY_WANTED))


def restore_sysctls(*, directory: Path = RUN_DIRECTORY, sys: Path = SYS) -> None:
    """Set back what :func:`prepare_sysctls` kept. For the last lab of the machine."""
    saved = directory / "sysctls.json"
    if not saved.exists():
        return
    values: dict[str, str] = json.loads(saved.read_text())
    for key, value in values.items():
        file = _sysctl(sys, key)
        if file.read_text().strip() != value:
            file.write_text(value)
    saved.unlink()


def _sysctl(sys: Path, key: str) -> Path:
    """Return the file of a kernel parameter."""
    return sys / key.replace(".", "/")


def remove_cgroups(ctx: Context, commands: Commands, lab: str) -> None:
    """Remove the groups of a lab, whose processes are gone, from every cgroup hierarchy of this machine."""
    mounts = Path("/proc/self/mountinfo").read_text()
    for hierarchy in mounted_hierarchies(mounts):
        _remove_groups(ctx, hierarchy, lab)
    for controllers in unmounted_hierarchies(mounts, Path("/proc/self/cgroup").read_text()):
        options = f"none,{controllers}" if controllers.startswith("name=") else controllers
        with TemporaryDirectory(prefix="kubexms-lab-") as directory:
            run(ctx, commands, ["mount", "-t", "cgroup", "-o", options, "cgroup", directory])
            try:
                _remove_groups(ctx, Path(directory), lab)
            finally:
                run(Context(), commands, ["umount", directory])


def mounted_hierarchies(mountinfo: str) -> list[Path]:
    """Return where cgroup hierarchies are mounted as a whole (proc_pid_mountinfo(5))."""
    entries = (line.split() for line in mountinfo.splitlines())
    return [
        Path(entry[4])
        for entry in entries
        if entry[entry.index("-") + 1] in {"cgroup", "cgroup2"} and entry[3] == "/"
    ]


def unmounted_hierarchies(mountinfo: str, cgroups: str) -> list[str]:
    """Return the controllers of cgroup v1 hierarchies that exist but are mounted nowhere (cgroups(7))."""
    options = [set(line.split()[-1].split(",")) for line in mountinfo.splitlines() if " - cgroup " in line]
    names = (line.split(":")[1] for line in cgroups.splitlines())
    return [name for name in names if name and not any(set(name.split(",")) <= found for found in options)]


def _remove_groups(ctx: Context, hierarchy: Path, lab: str) -> None:
    """Remove a lab's groups from one hierarchy, and the common group when no other lab is left in it."""
    top = hierarchy / CGROUP / lab
    groups = sorted(top.rglob("*/"), key=lambda group: len(group.parts), reverse=True)
    for group in [*groups, top]:
        if group.is_dir():
            _remove_group(ctx, group)
    with suppress(OSError):
        top.parent.rmdir()


def _remove_group(ctx: Context, group: Path) -> None:
    """Remove an empty group as soon as the kernel lets its last process go."""
    ctx = ctx.with_timeout(_EMPTY_SECONDS)
    while True:
        try:
            group.rmdir()
        except OSError as cause:
            if cause.errno != errno.EBUSY:
                raise
            ctx.wait(_LOOK_SECONDS)
        else:
            return
