# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a cluster's kubeconfig from a control-plane host, straight into the user's hands."""

import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from kubexms.context import Context
from kubexms.errors import ConnectionFailed, DeadlineExceeded, NotFound
from kubexms.inventory.model import CONTROL_PLANE
from kubexms.service.model import Prepared

ADMIN_CONF = "/etc/kubernetes/admin.conf"
_SECONDS = 30


def kubeconfig(ctx: Context, prepared: Prepared) -> str:
    """Return the text of the administrator's kubeconfig; it is kept nowhere on the way.

    The control-plane hosts are asked in order. Raises NotFound where the cluster is not made yet,
    ConnectionFailed where no control-plane host answers.
    """
    failures = []
    for host in prepared.inventory.groups[CONTROL_PLANE].hosts:
        done = _read(ctx, prepared.inventory.of_host(host))
        if done.returncode == 0:
            return done.stdout
        if done.returncode != 255:  # ssh(1): 255 is the connection's own failure
            raise NotFound(
                f"host {host} has no {ADMIN_CONF}", hint="deploy the cluster first: kubexms deploy FILE"
            )
        failures.append(f"{host}: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
    raise ConnectionFailed("no control-plane host answers: " + "; ".join(failures))


def _read(ctx: Context, variables: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    remaining = ctx.remaining()
    try:
        return subprocess.run(
            ssh_argv(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS if remaining is None else min(_SECONDS, remaining),
            check=False,
        )
    except subprocess.TimeoutExpired as cause:
        raise DeadlineExceeded(f"host {variables['ansible_host']} did not answer in time") from cause


def ssh_argv(variables: Mapping[str, Any]) -> list[str]:
    """Return the ssh command that prints the kubeconfig, with the connection that Ansible uses."""
    argv = ["ssh", "-T", *shlex.split(variables["ansible_ssh_common_args"])]
    argv += ["-o", f"ConnectTimeout={variables['ansible_ssh_timeout']}", "-p", str(variables["ansible_port"])]
    if "ansible_ssh_private_key_file" in variables:
        argv += ["-i", variables["ansible_ssh_private_key_file"]]
    become = ["sudo", "-n"] if variables.get("ansible_become") else []
    target = f"{variables['ansible_user']}@{variables['ansible_host']}"
    return [*argv, "--", target, *become, "cat", ADMIN_CONF]
