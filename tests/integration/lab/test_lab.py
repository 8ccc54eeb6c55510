# SPDX-License-Identifier: GPL-3.0-or-later
"""A real lab of two hosts from up to down, beside whatever other labs this machine has."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubexms import cluster, lab
from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.lab import Lab, Local, Request, Workspace
from kubexms.lab.machine import RUN_DIRECTORY, SYSCTLS, mounted_hierarchies
from kubexms.settings import Settings

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="labs need root"),
    # The tests of this file are one story: a lab costs seconds.
    pytest.mark.xdist_group("lab"),
]

NAME = f"it-{os.getpid()}"
COMMANDS = Local()
LIMIT_FILES = ("memory.limit_in_bytes", "memory.max")  # cgroup v1, v2


def ctx() -> Context:
    """Return a context with a limit for one step of the story."""
    return Context().with_timeout(300)


def up(workspace: Workspace, hosts: int) -> Lab:
    lines: list[str] = []
    made = lab.up(ctx(), COMMANDS, workspace, Request(NAME, hosts, memory="1g"), lines.append)
    assert any(f"booting {hosts} hosts" in line for line in lines)
    return made


def podman(*arguments: str) -> list[str]:
    argv = ["podman", *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()


def on(made: Lab, host: str, *command: str) -> str:
    """Run a command on a host and return its output."""
    argv = lab.ssh_argv(made, made.host(host), command)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(made: Lab, host: str) -> bool:
    """Tell whether a host's sshd can be reached from here."""
    try:
        with socket.create_connection((made.host(host).address, 22), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A directory of its own for the lab; the images are the user's, for they cost half a minute."""
    return Workspace(labs=tmp_path_factory.mktemp("state") / "labs", cache=Settings().cache_dir)


@pytest.fixture(scope="module")
def made(workspace: Workspace) -> Iterator[Lab]:
    """The lab of the story, which its last test removes."""
    try:
        yield up(workspace, 2)
    finally:
        if (workspace.labs / NAME).exists():
            lab.down(ctx(), COMMANDS, workspace, NAME, print)


def test_hosts_are_up_and_each_is_a_machine_of_its_own(made: Lab) -> None:
    assert [status.state for status in lab.status(ctx(), COMMANDS, made)] == ["running", "running"]
    identities = {on(made, host.name, "cat", "/etc/machine-id") for host in made.hosts}
    assert len(identities) == len(made.hosts)
    keys = [line.split()[2] for line in made.known_hosts.read_text().splitlines()]
    assert len(set(keys)) == len(made.hosts)
    assert on(made, "node2", "hostname") == "node2\n"
    assert on(made, "node2", "systemctl", "list-units", "--failed", "--no-legend") == ""


def test_hosts_own_their_files_and_cgroups(made: Lab) -> None:
    groups = on(made, "node1", "cat", "/proc/1/cgroup").splitlines()
    assert all(".." not in group for group in groups)
    mounts = on(made, "node1", "cat", "/proc/self/mountinfo")
    assert [line for line in mounts.splitlines() if line.split()[4].startswith("/etc")] == []
    assert all(line.split()[3] == "/" for line in mounts.splitlines() if " - cgroup" in line)
    mounted = [set(line.split()[-1].split(",")) for line in mounts.splitlines() if " - cgroup " in line]
    named = [group.split(":")[1] for group in groups if group.split(":")[1]]
    assert all(any(set(name.split(",")) <= found for found in mounted) for name in named)


def test_hosts_reach_each_other_and_this_machine(made: Lab) -> None:
    code = "import socket,sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(4))"
    address = made.host("node2").address
    assert on(made, "node1", "python3", "-c", f"'{code}'", address, "22") == "b'SSH-'\n"
    gateway = str(made.subnet[1])
    with socket.create_server((gateway, 0)) as server:
        argv = ["python3", "-c", f"'{code}'", gateway, str(server.getsockname()[1])]
        asking = subprocess.Popen(lab.ssh_argv(made, made.host("node1"), argv), stdout=subprocess.PIPE)
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"here")
        assert asking.communicate(timeout=30)[0] == b"b'here'\n"


def test_the_cluster_file_is_valid(made: Lab) -> None:
    loaded = cluster.load(made.cluster_file)
    assert [host.address for host in loaded.cluster.spec.hosts] == [host.address for host in made.hosts]


def test_memory_is_limited(made: Lab) -> None:
    places = [path / "kubexms-lab" / NAME / "node1" for path in mounted()]
    files = [file for place in places for name in LIMIT_FILES for file in place.glob(f"libpod-*/{name}")]
    assert [file.read_text().strip() for file in files] == [str(2**30)]


def test_a_killed_host_comes_back_as_itself(made: Lab) -> None:
    before = on(made, "node2", "cat", "/etc/machine-id")
    on(made, "node2", "sh", "-c", "'echo 192.0.2.1 kept >>/etc/hosts; sync'")
    lab.kill(ctx(), COMMANDS, made, made.host("node2"))
    assert lab.status(ctx(), COMMANDS, made)[1].state == "exited"
    assert not answers(made, "node2")
    lab.start(ctx(), COMMANDS, made, made.host("node2"))
    assert on(made, "node2", "cat", "/etc/machine-id") == before
    assert "192.0.2.1 kept" in on(made, "node2", "cat", "/etc/hosts")


def test_a_cut_host_is_silent_until_it_is_healed(made: Lab) -> None:
    lab.cut(ctx(), COMMANDS, made, made.host("node2"))
    assert [status.cut for status in lab.status(ctx(), COMMANDS, made)] == [False, True]
    assert not answers(made, "node2")
    lab.heal(ctx(), COMMANDS, made, made.host("node2"))
    assert not any(status.cut for status in lab.status(ctx(), COMMANDS, made))
    assert on(made, "node2", "hostname") == "node2\n"


def test_up_again_adds_a_host_and_leaves_the_others_running(made: Lab, workspace: Workspace) -> None:
    pids = [container["Pid"] for container in listed()]
    grown = up(workspace, 3)
    assert [container["Pid"] for container in listed()][:2] == pids
    assert on(grown, "node3", "hostname") == "node3\n"
    with pytest.raises(Refused, match="has 3 hosts already"):
        up(workspace, 1)


def test_another_directory_s_lab_is_refused(made: Lab, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="was made from"):
        lab.down(ctx(), COMMANDS, Workspace(tmp_path / "labs", tmp_path), NAME, print)
    assert lab.status(ctx(), COMMANDS, made)[0].state == "running"


def test_down_leaves_nothing(made: Lab, workspace: Workspace) -> None:
    volumes = {mount for container in listed() for mount in volumes_of(container["Id"])}
    assert len(volumes) == 3 * len(listed())
    saved = json.loads((RUN_DIRECTORY / "sysctls.json").read_text())
    lab.down(ctx(), COMMANDS, workspace, NAME, print)
    assert listed() == []
    assert not volumes & set(podman("volume", "ls", "--quiet"))
    assert made.network not in podman("network", "ls", "--format={{.Name}}")
    assert [path for path in mounted() if (path / "kubexms-lab" / NAME).exists()] == []
    assert not (workspace.labs / NAME).exists()
    assert not (RUN_DIRECTORY / f"lab-{NAME}.lock").exists()
    if not podman("network", "ls", "--quiet", "--filter=label=io.kubexms.lab"):
        assert {key: sysctl(key) for key in SYSCTLS if key in saved} == saved


def listed() -> list[dict[str, object]]:
    """Return podman's view of this test's lab, in the order of the names."""
    argv = ["podman", "ps", "--all", f"--filter=label=io.kubexms.lab={NAME}", "--format=json"]
    found = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return sorted(found, key=lambda container: str(container["Names"]))


def volumes_of(container: object) -> list[str]:
    form = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return podman("inspect", f"--format={form}", str(container))


def mounted() -> list[Path]:
    return mounted_hierarchies(Path("/proc/self/mountinfo").read_text())


def sysctl(key: str) -> str:
    return Path("/proc/sys", key.replace(".", "/")).read_text().strip()
