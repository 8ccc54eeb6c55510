# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import json
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import DeadlineExceeded, Refused
from kubexms.lab import machine
from kubexms.lab.machine import (
    INOTIFY_INSTANCES,
    locked,
    mounted_hierarchies,
    prepare_sysctls,
    remove_cgroups,
    restore_sysctls,
    unmounted_hierarchies,
)

# Recorded on a machine with cgroup v1 and v2 side by side
HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 31 0:37 /other /tmp/part rw,relatime - cgroup cgroup rw,name=systemd
"""
UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


@pytest.fixture
def sys_tree(tmp_path: Path) -> Path:
    """A small /proc/sys."""
    tree = tmp_path / "sys"
    for key, value in {INOTIFY_INSTANCES: "128", "vm.overcommit_memory": "0", "kernel.panic": "0"}.items():
        file = tree / key.replace(".", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return tree


def values(tree: Path) -> dict[str, str]:
    return {
        str(file.relative_to(tree)).replace("/", "."): file.read_text().strip()
        for file in tree.rglob("*")
        if file.is_file()
    }


def test_sysctls_are_set_back_to_what_was_before_the_first_lab(sys_tree: Path, tmp_path: Path) -> None:
    before = values(sys_tree)
    prepare_sysctls(directory=tmp_path, sys=sys_tree)
    assert values(sys_tree) == {**before, INOTIFY_INSTANCES: "512"}
    (sys_tree / "vm/overcommit_memory").write_text("1\n")
    prepare_sysctls(directory=tmp_path, sys=sys_tree)
    restore_sysctls(directory=tmp_path, sys=sys_tree)
    assert values(sys_tree) == before
    assert not (tmp_path / "sysctls.json").exists()


def test_a_machine_that_allows_more_keeps_its_value(sys_tree: Path, tmp_path: Path) -> None:
    (sys_tree / "fs/inotify/max_user_instances").write_text("8192\n")
    prepare_sysctls(directory=tmp_path, sys=sys_tree)
    assert values(sys_tree)[INOTIFY_INSTANCES] == "8192"
    assert json.loads((tmp_path / "sysctls.json").read_text())[INOTIFY_INSTANCES] == "8192"


def test_nothing_is_set_back_without_a_lab(sys_tree: Path, tmp_path: Path) -> None:
    before = values(sys_tree)
    restore_sysctls(directory=tmp_path, sys=sys_tree)
    assert values(sys_tree) == before


def test_a_lock_that_is_held_is_refused_and_leaves_no_file(ctx: Context, tmp_path: Path) -> None:
    with locked(ctx, "lab-a", wait=False, directory=tmp_path):
        assert (tmp_path / "lab-a.lock").exists()
        with (
            pytest.raises(Refused, match="another command works on lab-a"),
            locked(ctx, "lab-a", wait=False, directory=tmp_path),
        ):
            pass
        with locked(ctx, "lab-b", wait=False, directory=tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_waited_for_until_the_deadline(ctx: Context, tmp_path: Path) -> None:
    with (
        locked(ctx, "machine", wait=True, directory=tmp_path),
        pytest.raises(DeadlineExceeded),
        locked(ctx.with_timeout(0.2), "machine", wait=True, directory=tmp_path),
    ):
        pass


def test_a_lock_on_a_removed_file_does_not_count(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder removes the file between our open and our lock: ours is then nobody's."""
    path = tmp_path / "a.lock"
    flock = machine.fcntl.flock
    opened = []

    def remove_then_lock(file: Any, operation: int) -> None:
        if not opened:
            path.unlink()
        opened.append(file)
        flock(file, operation)

    monkeypatch.setattr(machine.fcntl, "flock", remove_then_lock)
    with locked(ctx, "a", wait=True, directory=tmp_path):
        assert len(opened) == 2
        assert path.exists()


@pytest.mark.parametrize(
    ("mountinfo", "expected"),
    [
        (HYBRID, ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]),
        (UNIFIED, ["/sys/fs/cgroup"]),
    ],
    ids=["hybrid", "unified"],
)
def test_mounted_hierarchies(mountinfo: str, expected: list[str]) -> None:
    assert mounted_hierarchies(mountinfo) == [Path(path) for path in expected]


@pytest.mark.parametrize(
    ("mountinfo", "cgroups", "expected"),
    [
        (HYBRID, "9:name=systemd:/\n1:cpu:/\n0::/\n", []),
        (
            HYBRID,
            "14:net_cls,net_prio:/\n10:hugetlb:/x\n9:name=systemd:/\n1:cpu:/\n0::/\n",
            ["net_cls,net_prio", "hugetlb"],
        ),
        (UNIFIED, "0::/init.scope\n", []),
    ],
    ids=["all mounted", "two are not", "unified"],
)
def test_unmounted_hierarchies(mountinfo: str, cgroups: str, expected: list[str]) -> None:
    assert unmounted_hierarchies(mountinfo, cgroups) == expected


@pytest.fixture
def hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree like a hierarchy with groups of labs dev and other, which is the machine's only one."""
    for group in ("dev/node1/system.slice/ssh.service", "dev/node2", "other/node1"):
        (tmp_path / "kubexms-lab" / group).mkdir(parents=True)
    (tmp_path / "system.slice").mkdir()
    monkeypatch.setattr(machine, "mounted_hierarchies", lambda mounts: [tmp_path])
    monkeypatch.setattr(machine, "unmounted_hierarchies", lambda mounts, cgroups: [])
    return tmp_path


def test_only_the_lab_s_groups_are_removed(ctx: Context, table: Any, hierarchy: Path) -> None:
    remove_cgroups(ctx, table, "dev")
    assert sorted(path.name for path in (hierarchy / "kubexms-lab").iterdir()) == ["other"]
    remove_cgroups(ctx, table, "other")
    assert [path.name for path in hierarchy.iterdir()] == ["system.slice"]
    remove_cgroups(ctx, table, "other")
    assert table.calls == []


def test_a_group_whose_processes_are_just_ending_is_waited_for(
    ctx: Context, table: Any, hierarchy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rmdir, busy = Path.rmdir, [hierarchy / "kubexms-lab/dev/node2"] * 2

    def rmdir_later(path: Path) -> None:
        if path in busy:
            busy.remove(path)
            raise OSError(errno.EBUSY, "busy")
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", rmdir_later)
    remove_cgroups(ctx, table, "dev")
    assert busy == []
    assert not (hierarchy / "kubexms-lab/dev").exists()


def test_an_unmounted_hierarchy_is_mounted_for_the_removal(
    ctx: Context, table: Any, hierarchy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "unmounted_hierarchies", lambda mounts, cgroups: ["hugetlb", "name=elogind"])
    remove_cgroups(ctx, table, "dev")
    assert [[*call[:-1], "DIR"] for call in table.calls] == [
        ["mount", "-t", "cgroup", "-o", "hugetlb", "cgroup", "DIR"],
        ["umount", "DIR"],
        ["mount", "-t", "cgroup", "-o", "none,name=elogind", "cgroup", "DIR"],
        ["umount", "DIR"],
    ]
    assert table.calls[0][-1] == table.calls[1][-1]
