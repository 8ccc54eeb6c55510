# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer per host: a module of a run that was cut off may still be working when the next arrives."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError

PATH = "/run/kubexms/lock"


class LockedError(StageError):
    """Another module is still changing this host."""

    code = "locked"
    retriable = True


def _try(handle):
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


@contextlib.contextmanager
def host_lock(client, seconds=300, path=None):
    """Hold the host's lock; wait up to ``seconds`` for whoever holds it. The kernel frees it on death."""
    path = path or PATH
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="ascii") as handle:
        try:
            client.wait(lambda: _try(handle), seconds, "taking the host's lock")
        except StageError as error:
            raise LockedError(
                "another module is still at work on this host after {0} s".format(int(seconds)),
                hint="wait for it or end it, then deploy again",
            ) from error
        yield
