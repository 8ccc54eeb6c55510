# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the collection manages: read, compare by content and mode, write whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile

DIGESTS = "/var/lib/kubexms/digests.json"
_CHUNK = 1024 * 1024


def read_text(path):
    """Return a file's text, or None where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_mode(path):
    """Return a file's permission bits as octal text such as ``0644``, or None where it does not exist."""
    try:
        return "{0:04o}".format(stat.S_IMODE(os.stat(path).st_mode))
    except (FileNotFoundError, NotADirectoryError):
        return None


def text_digest(text):
    """Return the SHA-256 of a text as hexadecimal digits, or an empty text for None."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def compare_text(differences, path, wanted, mode="0644"):
    """Record where a file's content or mode is not the wanted one; ``wanted`` None means no file.

    The diff shows the whole text of a file that everybody may read, now and then.
    """
    found = read_text(path)
    if found != wanted:
        differences.add(path, _shown(found), _shown(wanted))
        if _is_public(mode) and _is_public(read_mode(path) or mode):
            differences.add_text(path, found, wanted)
    elif wanted is not None and read_mode(path) != mode:
        differences.add(path + " mode", read_mode(path), mode)


def _is_public(mode):
    return bool(int(mode, 8) & stat.S_IROTH)


def settle_text(differences, path, wanted, mode="0644"):
    """Make a file as compare_text wanted it, if that recorded a difference; return whether it did."""
    if not (differences.has(path) or differences.has(path + " mode")):
        return False
    if wanted is None:
        remove(path)
    else:
        write_text(path, wanted, mode)
    return True


def _shown(text):
    return "" if text is None else "sha256:" + text_digest(text)[:12]


def write_text(path, text, mode="0644"):
    """Write a file by a rename, so that readers see the old or the new content and nothing between."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"), mode)


def write_bytes(path, content, mode="0644"):
    """Write bytes as write_text does; parent folders are made with mode 0755."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kubexms-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, int(mode, 8))
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def remove(path):
    """Remove a file; return whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


class DigestCache:
    """SHA-256 of big files, remembered as long as size, times and inode stay the same.

    The change time cannot be set by programs, so a remembered digest is as good as a fresh one
    against everything but a process that edits this cache (which is root's already).
    """

    def __init__(self, path=None):
        self._path = path or DIGESTS
        try:
            self._entries = json.loads(read_text(self._path) or "{}")
        except ValueError:  # nothing is lost with it but the time to hash once more
            self._entries = {}
        self._changed = False

    def digest(self, path):
        """Return the digest of a file as hexadecimal digits, or an empty text where there is none."""
        key = _fingerprint(path)
        if key is None:
            return ""
        entry = self._entries.get(path)
        if entry and entry[:4] == key:
            return entry[4]
        found = file_digest(path)
        self._keep(path, key, found)
        return found

    def put(self, path, digest):
        """Remember the digest of a file that was hashed while it was written."""
        self._keep(path, _fingerprint(path), digest)

    def _keep(self, path, key, digest):
        self._entries[path] = [*key, digest]
        self._changed = True

    def save(self):
        """Write the cache where it changed. Reading modules may do so: it is no state of the host."""
        if self._changed:
            write_text(self._path, json.dumps(self._entries, sort_keys=True), "0600")
            self._changed = False


def _fingerprint(path):
    """Return what changes with a file's content, or None where there is no such file."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def file_digest(path):
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
