# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``runtime`` taken back: no containers, no containerd, none of its files."""

from __future__ import annotations

import os
import shutil

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text
from ansible_collections.kubexms.cluster.plugins.module_utils._units import daemon_reload

RECORD = "runtime"
UNIT = "containerd.service"
FOLDERS = ("/run/containerd", "/var/lib/containerd", "/opt/containerd", "/etc/containerd")
MOUNTS = "/proc/self/mounts"
_NAMESPACE = "k8s.io"
_END_SECONDS = 60


def revert(client, record):
    """End what runs in containerd, stop it, and remove or put back its files.

    Images and other state go too, unless containerd was on this host before.
    """
    if not record.kept_files(RECORD):
        return
    prior = record.prior(RECORD)
    _end_containers(client)
    client.run(["systemctl", "disable", "--now", UNIT], check=False, seconds=120)
    for path in sorted(record.kept_files(RECORD)):
        record.restore_file(RECORD, path)
    daemon_reload(client)
    for folder in FOLDERS:
        if folder not in prior["folders"]:
            remove_folder(client, folder)
    if prior["unit"] == "active":
        client.run(["systemctl", "enable", "--now", UNIT], seconds=120)
    record.forget(RECORD)


def _end_containers(client):
    """Kill every task of Kubernetes and wait until none is left; containerd may be down already."""
    for name in _tasks(client):
        client.run(_ctr("tasks", "kill", "--all", "--signal", "SIGKILL", name), check=False)
    client.wait(lambda: not _remaining(client), _END_SECONDS, "the end of all containers", interval=0.5)


def _remaining(client):
    """Remove the tasks that have ended and return those that are left."""
    for name in _tasks(client):
        client.run(_ctr("tasks", "rm", name), check=False)
    return _tasks(client)


def _tasks(client):
    return client.run(_ctr("tasks", "ls", "--quiet"), check=False).stdout.split()


def _ctr(*words):
    return ["ctr", "--namespace", _NAMESPACE, *words]


def mounts_below(text, folder):
    """Return mount points below ``folder`` in /proc/self/mounts, innermost first."""
    points = [line.split()[1] for line in text.splitlines() if line]
    return sorted((point for point in points if point.startswith(folder + "/")), reverse=True)


def remove_folder(client, folder):
    """Remove a folder and what is mounted below it; one that is a mount of its own is emptied."""
    for point in mounts_below(read_text(MOUNTS) or "", folder):
        client.run(["umount", "--lazy", point], check=False)
    if os.path.ismount(folder):
        for name in os.listdir(folder):
            _remove(os.path.join(folder, name))
    elif os.path.isdir(folder):
        shutil.rmtree(folder)


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
