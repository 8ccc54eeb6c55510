# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes by digest over HTTP: hashed while they are written, resumed where they broke off, placed whole.

What is fetched is public and pinned by its SHA-256, so transport security adds nothing to it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
import urllib.error
import urllib.request

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import DigestError, DownloadError

ATTEMPTS = 3
BACK_OFF_SECONDS = 1.0
_CHUNK = 1024 * 1024
_SILENCE_SECONDS = 20
_PARTIAL_CONTENT = 206
_BROKEN = (OSError, http.client.HTTPException)
_NO_URL = "set url, or directory on the controller"
_HINT = "see whether the host reaches the controller's file server (a firewall between them?)"


class Source:
    """A base URL that answers ``GET {url}/sha256/{digest}``; shared by the threads that fetch from it.

    Proxies of the environment are left out: this is the controller or a mirror beside it. ``gone`` is
    set when there is none (an empty URL) or it could not be reached at all, so that nobody waits for it.
    """

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.gone = threading.Event()
        if not url:
            self.gone.set()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def location(self, digest):
        """Return the URL of a digest."""
        return "{0}/sha256/{1}".format(self.url, digest)

    def open(self, url, start=0):
        """Return the response of a URL from byte ``start`` on.

        Raises OSError (HTTPError where the server refuses) or HTTPException when there is none.
        """
        headers = {"Range": "bytes={0}-".format(start)} if start else {}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the operator's own URL
        return self._opener.open(request, timeout=_SILENCE_SECONDS)


def fetch(source, digest, size, path, mode):
    """Place the file of a digest, ``size`` bytes long, at ``path``.

    The bytes go to a partial file beside it, which a later call goes on with. Raises DownloadError, or
    DigestError when the bytes are others; nothing is placed then.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    partial = os.path.join(folder, ".kubexms-{0}-{1}.part".format(os.path.basename(path), digest[:16]))
    found = _retry(source, source.location(digest), partial, size)
    place(partial, found, digest, path, mode, source.location(digest))


def place(temporary, found, digest, path, mode, origin):
    """Move a file with digest ``found`` to ``path``, or remove it when ``digest`` was wanted."""
    if found != digest:
        os.unlink(temporary)
        raise DigestError(
            "{0} from {1} has SHA-256 {2}, expected {3}; nothing was placed".format(
                path, origin, found, digest
            ),
            hint="the source's copy is damaged or another version: fetch it anew on the controller",
        )
    os.chmod(temporary, int(mode, 8))
    os.rename(temporary, path)


def _retry(source, url, partial, size):
    """Receive until whole and return the digest; a broken connection is tried again a little later."""
    reached = False
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(BACK_OFF_SECONDS * attempt)
        if not source.url:
            raise DownloadError(
                "{0} is wanted and there is no URL to fetch it from".format(url), hint=_NO_URL
            )
        if source.gone.is_set():
            raise DownloadError("{0} cannot be reached".format(source.url), hint=_HINT)
        try:
            return _receive(source, url, partial, size)
        except urllib.error.HTTPError as error:
            error.close()
            raise DownloadError("{0} answers {1} {2}".format(url, error.code, error.reason)) from error
        except _BROKEN as error:
            cause = error
            reached = reached or not isinstance(error, urllib.error.URLError)
    if not reached:
        source.gone.set()
    reason = getattr(cause, "reason", cause)
    raise DownloadError("{0} failed {1} times: {2}".format(url, ATTEMPTS, reason), hint=_HINT) from cause


def _receive(source, url, partial, size):
    """Append what is missing to the partial file and return the digest of the whole."""
    digest, start = _hashed(partial)
    if start > size:
        digest, start = hashlib.sha256(), 0
    if start == size:
        return digest.hexdigest()
    with source.open(url, start) as response:
        if start and response.status != _PARTIAL_CONTENT:
            digest, start = hashlib.sha256(), 0
        start += _append(response, partial, start, digest)
    if start < size:
        raise ConnectionError("the connection ended after {0} of {1} bytes".format(start, size))
    return digest.hexdigest()


def _append(response, partial, start, digest):
    """Write the response from byte ``start`` of the file on; return how many bytes came."""
    received = 0
    with open(partial, "r+b" if start else "wb") as stream:
        stream.seek(start)
        for chunk in iter(lambda: response.read(_CHUNK), b""):
            digest.update(chunk)
            stream.write(chunk)
            received += len(chunk)
    return received


def _hashed(path):
    """Return the hash state of a partial file and its size."""
    digest, size = hashlib.sha256(), 0
    if os.path.exists(path):
        with open(path, "rb") as stream:
            for chunk in iter(lambda: stream.read(_CHUNK), b""):
                digest.update(chunk)
                size += len(chunk)
    return digest, size
