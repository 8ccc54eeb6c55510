# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd's images through ``ctr``: what is there, pull, import, remove."""

from __future__ import annotations

import os

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError, DownloadError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import write_text
from ansible_collections.kubexms.cluster.plugins.module_utils._stage_runtime_config import quoted

SOCKET = "/run/containerd/containerd.sock"
REGISTRIES = "/etc/containerd/certs.d"
_CTR = ["ctr", "--namespace", "k8s.io", "images"]
_SECONDS = 900


def parse_images(text):
    """Return name -> digest of the manifest, from the table that ``ctr images ls`` prints."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return {row[0]: row[2] for row in rows if len(row) > 2}


def present(client):
    """Return name -> digest of the images on this host; none where containerd does not run yet."""
    if not os.path.exists(SOCKET):
        return {}
    return parse_images(client.run([*_CTR, "ls"]).stdout)


def import_archive(client, path):
    """Import an archive from a file.

    ``--local``: ctr reads the archive itself. Through containerd's transfer service the bytes take
    twice the time and processor.
    """
    client.run([*_CTR, "import", "--local", path], seconds=_SECONDS)


def pull(client, name, folder=None):
    """Pull an image by its name, from where ``folder`` (hosts.toml per registry) says."""
    folders = folder or (REGISTRIES if os.path.isdir(REGISTRIES) else None)
    options = ["--hosts-dir", folders] if folders else []
    try:
        client.run([*_CTR, "pull", *options, name], seconds=_SECONDS)
    except CommandError as error:
        raise DownloadError(
            "image {0} could not be pulled: {1}".format(name, error.tail[-1] if error.tail else error),
            hint="see whether the host reaches the image's registry or its mirrors",
            tail=error.tail,
        ) from error


def remove_image(client, name):
    """Forget an image by its name."""
    client.run([*_CTR, "rm", name])


def write_hosts(folder, name, url):
    """Write the hosts.toml that sends a pull of ``name`` to the registry API at ``url`` (up to /v2)."""
    text = 'server = {0}\n\n[host.{0}]\ncapabilities = ["pull", "resolve"]\n'.format(quoted(url))
    write_text(os.path.join(folder, name.split("/", 1)[0], "hosts.toml"), text)
