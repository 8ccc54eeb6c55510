# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms lab``: throw-away hosts on this machine."""

import subprocess
import time
from typing import TYPE_CHECKING, Annotated

import typer

from kubexms.cli.output import Format, Output, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubexms.context import Context
    from kubexms.lab import Commands, Host, HostStatus, Lab, Report, Workspace

app = typer.Typer(name="lab", help="Throw-away hosts on this machine: containers with systemd and sshd.")

DEFAULT_NAME = "lab"
Name = Annotated[str, typer.Option("--name", help="Name of the lab; several exist side by side.")]
HostName = Annotated[str, typer.Argument(metavar="HOST", help="Name of a host, such as node1.")]


@app.command("up")
def up_command(
    hosts: Annotated[int | None, typer.Option(help="How many hosts; 3 in a new lab.", min=1)] = None,
    control_planes: Annotated[
        int | None, typer.Option(help="How many of them for the control plane; 1 in a new lab.", min=1)
    ] = None,
    name: Name = DEFAULT_NAME,
    memory: Annotated[str | None, typer.Option(help="Memory limit of each new host, such as 4g.")] = None,
    install: Annotated[bool, typer.Option("--install", help="Install missing Debian packages.")] = False,
) -> None:
    """Make the hosts, boot them and write their cluster.yaml; add or start what a lab lacks."""
    from kubexms.context import Context
    from kubexms.lab import Local, Request, up

    started = time.monotonic()
    request = Request(name, hosts, control_planes, memory, install)
    lab = up(Context(), Local(), _workspace(), request, _reporter(started))
    print(f"lab {lab.name}: {len(lab.hosts)} hosts up in {time.monotonic() - started:.1f} s")
    print(f"  cluster file  {lab.cluster_file}")
    print(f"  log in        kubexms lab ssh {lab.hosts[0].name} --name {lab.name}")


@app.command("down")
def down_command(name: Name = DEFAULT_NAME) -> None:
    """Remove the lab: hosts, volumes, network, files. Nothing of it stays but the cached image."""
    from kubexms.context import Context
    from kubexms.lab import Local, down

    started = time.monotonic()
    down(Context(), Local(), _workspace(), name, _reporter(started))
    print(f"lab {name} removed in {time.monotonic() - started:.1f} s")


@app.command("status")
def status_command(
    name: Annotated[str | None, typer.Option("--name", help="Only this lab.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Show the labs and how their hosts are."""
    from kubexms.context import Context
    from kubexms.lab import Local, list_labs, load, status

    workspace = _workspace()
    labs = list_labs(workspace) if name is None else [load(workspace.labs, name)]
    found = [(lab, status(Context(), Local(), lab)) for lab in labs]
    if output is Format.JSON:
        print_json([{"name": lab.name, "file": lab.cluster_file, "hosts": hosts} for lab, hosts in found])
    elif not found:
        print("there are no labs; make one: kubexms lab up")
    else:
        _print_labs(found)


def _print_labs(found: "Sequence[tuple[Lab, Sequence[HostStatus]]]") -> None:
    for lab, hosts in found:
        print(f"{lab.name}  {lab.subnet}  {lab.cluster_file}")
        for host in hosts:
            network = "cut" if host.cut else "connected"
            print(f"  {host.host:<8} {host.address:<15} {host.role:<13} {host.state:<8} {network}")


@app.command("ssh")
def ssh_command(
    host: HostName,
    command: Annotated[
        list[str] | None, typer.Argument(help="Command, after --; a shell when absent.")
    ] = None,
    name: Name = DEFAULT_NAME,
) -> None:
    """Log in to a host, or run a command on it."""
    from kubexms.lab import ssh_argv

    lab, found = _find(name, host)
    raise typer.Exit(subprocess.call(ssh_argv(lab, found, command or [])))


@app.command("kill")
def kill_command(host: HostName, name: Name = DEFAULT_NAME) -> None:
    """Switch a host off without warning."""
    from kubexms.lab import kill

    kill(*_target(name, host))
    print(f"{host} is off")


@app.command("start")
def start_command(host: HostName, name: Name = DEFAULT_NAME) -> None:
    """Boot a killed host and wait until it is up."""
    from kubexms.lab import start

    start(*_target(name, host))
    print(f"{host} is up")


@app.command("cut")
def cut_command(host: HostName, name: Name = DEFAULT_NAME) -> None:
    """Unplug a host's network."""
    from kubexms.lab import cut

    cut(*_target(name, host))
    print(f"{host} is cut from the network")


@app.command("heal")
def heal_command(host: HostName, name: Name = DEFAULT_NAME) -> None:
    """Plug a host's network in again."""
    from kubexms.lab import heal

    heal(*_target(name, host))
    print(f"{host} is connected to the network")


def _workspace() -> "Workspace":
    """Return where labs lie, by the settings."""
    from kubexms.lab import Workspace
    from kubexms.settings import Settings

    settings = Settings()
    return Workspace(labs=settings.state_dir / "labs", cache=settings.cache_dir)


def _find(name: str, host: str) -> "tuple[Lab, Host]":
    """Return the lab and its host by their names."""
    from kubexms.lab import load

    lab = load(_workspace().labs, name)
    return lab, lab.host(host)


def _target(name: str, host: str) -> "tuple[Context, Commands, Lab, Host]":
    """Return the arguments of what is done to one host."""
    from kubexms.context import Context
    from kubexms.lab import Local

    return Context(), Local(), *_find(name, host)


def _reporter(started: float) -> "Report":
    """Return what prints progress lines with the seconds since ``started``."""
    return lambda line: print(f"[{time.monotonic() - started:5.1f} s] {line}", flush=True)
