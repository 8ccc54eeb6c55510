# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``images``: images in containerd, each name pointing at the pinned manifest.

An archive comes to containerd by the quickest way that works: pulled from a controller that speaks the
registry API for each archive, imported from a downloaded file, imported from a file that was sent.
An image without an archive is pulled by its name.
"""

from __future__ import annotations

import http.client
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_images_ctr as ctr
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DigestError, DownloadError
from ansible_collections.kubexms.cluster.plugins.module_utils._fetch import Source, fetch
from ansible_collections.kubexms.cluster.plugins.module_utils._files import file_digest

ARGUMENTS = {
    "images": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "digest": {"type": "str", "required": True},
            "archive": {
                "type": "dict",
                "options": {
                    "sha256": {"type": "str", "required": True},
                    "size": {"type": "int", "required": True},
                },
            },
        },
    },
    "url": {"type": "str", "default": ""},
    "directory": {"type": "str", "default": ""},
    "staged": {"type": "dict", "default": {}},
}

FOLDER = "/var/lib/kubexms/images"
"""For what is on its way; a download that broke off stays here for the next call to go on with."""

_AT_ONCE = 2
_PREFIX = "image "


def compare(client, params):
    """Return which names are missing or point at another manifest."""
    differences, found = Differences(), ctr.present(client)
    for image in params["images"]:
        differences.compare_digest(_PREFIX + image["name"], found.get(image["name"], ""), image["digest"])
    return differences


def apply(client, params, differences):
    """Get what differs. ``missing`` names digests of archives that the controller must send."""
    wanted = [image for image in params["images"] if differences.has(_PREFIX + image["name"])]
    missing = _get_all(_Ways(client, params), wanted)
    shutil.rmtree(FOLDER, ignore_errors=True)
    got = [image for image in wanted if image not in missing]
    if got:
        _verify(client, got)
    return {"missing": sorted(image["archive"]["sha256"] for image in missing)} if missing else {}


def _get_all(ways, images):
    """Get images, a few at once, and return those that the controller must send first."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        places = [(image, pool.submit(_get, ways, image)) for image in images]
    return [image for image, got in places if not got.result()]


def _get(ways, image):
    archive = image["archive"]
    if archive is None:
        ctr.pull(ways.client, image["name"])
        return True
    digest = archive["sha256"]
    if digest in ways.staged:
        _check_staged(ways.staged[digest], digest)
        ctr.import_archive(ways.client, ways.staged[digest])
        return True
    try:
        ways.fetch(image["name"], archive)
    except DownloadError:
        if ways.staged or not ways.directory:
            raise
        return False
    return True


def _check_staged(path, digest):
    found = file_digest(path)
    if found != digest:
        raise DigestError(
            "the archive sent to this host has SHA-256 {0}, expected {1}; nothing was imported".format(
                found, digest
            ),
            hint="the controller's copy is damaged: fetch it anew there",
        )


class _Ways:
    """How archives come to this host in one module call."""

    def __init__(self, client, params):
        self.client = client
        self.staged = params["staged"]
        self.directory = params["directory"]
        self._source = Source(params["url"])

    def fetch(self, name, archive):
        """Have an archive in containerd by HTTP; DownloadError when that is no way."""
        digest = archive["sha256"]
        own = os.path.join(FOLDER, digest)
        registry = self._source.location(digest) + "/v2"
        if self._speaks_registry(registry):
            ctr.write_hosts(own, name, registry)
            ctr.pull(self.client, name, own)
            return
        fetch(self._source, digest, archive["size"], own, "0600")
        ctr.import_archive(self.client, own)
        os.unlink(own)

    def _speaks_registry(self, url):
        """Return whether the source offers an archive as a registry (OCI distribution, end-1)."""
        if self._source.gone.is_set():
            return False
        try:
            with self._source.open(url + "/") as response:
                return response.status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def _verify(client, images):
    """Raise DigestError for a name that points elsewhere than pinned, after taking the name away again."""
    found = ctr.present(client)
    for image in images:
        name, digest = image["name"], found.get(image["name"], "")
        if digest == image["digest"]:
            continue
        if digest:
            ctr.remove_image(client, name)
        raise DigestError(
            "image {0} has manifest {1}, expected {2}; it was removed".format(
                name, digest or "none", image["digest"]
            ),
            hint="its archive or registry has another image under that name than the one pinned",
        )
