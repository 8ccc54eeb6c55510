# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run's sockets are. A socket's path may have some 100 bytes, and run directories are longer."""

import hashlib
import os
import tempfile
from pathlib import Path

from kubexms.errors import KubexmsError


class DirectoryUnsafe(KubexmsError):
    """Another user can write to a directory that must be private."""

    code = "directory-unsafe"


def socket_directory(directory: Path) -> Path:
    """Create and return a short private directory for the sockets of the run in ``directory``.

    Raises DirectoryUnsafe where another user got there first.
    """
    user = os.geteuid()
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    root = Path("/run") if user == 0 else Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    base = root / f"kubexms-{user}"
    for path in (base, base / name):
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if found.st_uid != user or found.st_mode & 0o022 or path.is_symlink():
            raise DirectoryUnsafe(f"{path} is not private to user {user}", hint="remove it")
    return base / name
