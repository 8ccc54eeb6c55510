# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage ``files``: binaries by SHA-256, from the controller by HTTP or already sent to the host."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DownloadError
from ansible_collections.kubexms.cluster.plugins.module_utils._fetch import Source, fetch, place
from ansible_collections.kubexms.cluster.plugins.module_utils._files import (
    DigestCache,
    file_digest,
    read_mode,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

ARGUMENTS = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "sha256": {"type": "str", "required": True},
            "size": {"type": "int", "required": True},
            "mode": {"type": "str", "default": "0755"},
        },
    },
    "url": {"type": "str", "default": ""},
    "directory": {"type": "str", "default": ""},
    "staged": {"type": "dict", "default": {}},
}

RECORD = "files"
_AT_ONCE = 4


def compare(client, params):  # noqa: ARG001 - every stage has this signature
    """Return which files are missing, have other bytes or another mode."""
    differences, cache = Differences(), DigestCache()
    for item in params["files"]:
        found = cache.digest(item["path"])
        wanted = "sha256:" + item["sha256"]
        if not differences.compare_digest(item["path"], "sha256:" + found if found else "", wanted):
            differences.compare(item["path"] + " mode", read_mode(item["path"]), item["mode"])
    cache.save()
    return differences


def apply(client, params, differences):  # noqa: ARG001
    """Place what differs. ``missing`` names digests that the controller must send: HTTP did not do."""
    wanted = [item for item in params["files"] if differences.has(item["path"])]
    _keep(wanted)
    source = Source(params["url"])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        places = [(item, pool.submit(_place, source, params, item)) for item in wanted]
    _remember([item for item, placed in places if not placed.exception() and placed.result()])
    missing = [item["sha256"] for item, placed in places if not placed.result()]
    for item in params["files"]:
        if differences.has(item["path"] + " mode"):
            os.chmod(item["path"], int(item["mode"], 8))
    return {"missing": sorted(set(missing))} if missing else {}


def _keep(items):
    """Keep what other files were at these paths before, for revert."""
    record = Record()
    for item in items:
        record.keep_file(RECORD, item["path"])
    record.save()


def _remember(items):
    cache = DigestCache()
    for item in items:
        cache.put(item["path"], item["sha256"])
    cache.save()


def _place(source, params, item):
    """Place one file; false when it must be sent by the controller first."""
    digest = item["sha256"]
    if digest in params["staged"]:
        _place_staged(params["staged"][digest], item)
        return True
    try:
        fetch(source, digest, item["size"], item["path"], item["mode"])
    except DownloadError:
        if params["staged"] or not params["directory"]:
            raise
        return False
    return True


def _place_staged(staged, item):
    """Place a copy of a file that lies on this host; its bytes are looked at like all others."""
    folder = os.path.dirname(item["path"])
    os.makedirs(folder, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kubexms-")
    os.close(handle)
    shutil.copyfile(staged, temporary)
    place(temporary, file_digest(temporary), item["sha256"], item["path"], item["mode"], "the controller")


def revert(client, record):  # noqa: ARG001
    """Remove the files, and put back those that were there before."""
    for path in sorted(record.kept_files(RECORD)):
        record.restore_file(RECORD, path)
    record.forget(RECORD)
