# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that code on a host raises; the module's door turns each into one fail_json.

``code`` is stable and meant for machines; ``hint`` says what to do; ``tail`` holds the last lines of
the program that failed; ``retriable`` says whether the same call may go well a little later.
"""

from __future__ import annotations


class StageError(Exception):
    """Base of all errors raised on a host."""

    code = "internal"
    retriable = False

    def __init__(self, message, hint="", tail=(), code=None, retriable=None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.tail = list(tail)
        self.code = code or type(self).code
        self.retriable = type(self).retriable if retriable is None else retriable

    def as_result(self):
        """Return the fields of fail_json."""
        return {
            "msg": self.message,
            "code": self.code,
            "hint": self.hint,
            "tail": self.tail,
            "retriable": self.retriable,
        }


class CommandError(StageError):
    """A program ended with an unexpected status."""

    code = "command-failed"

    def __init__(self, argv, status, stdout, stderr, hint=""):
        lines = [line for line in (stderr or stdout).splitlines() if line.strip()]
        tail = lines[-20:]
        what = " ".join(argv)
        last = tail[-1].strip() if tail else "it printed nothing"
        super().__init__("{0} ended with status {1}: {2}".format(what, status, last), hint=hint, tail=tail)
        self.argv = list(argv)
        self.status = status
        self.stdout = stdout
        self.stderr = stderr


class DeadlineError(StageError):
    """A condition did not come true before its deadline."""

    code = "timeout"
    retriable = True


class DigestError(StageError):
    """Bytes are not the ones that were pinned."""

    code = "digest-mismatch"


class DownloadError(StageError):
    """Bytes could not be fetched."""

    code = "download-failed"
    retriable = True


class ForeignClusterError(StageError):
    """The host belongs to another cluster."""

    code = "foreign-cluster"


class PreflightError(StageError):
    """The host lacks something that must be there before the stage can work."""

    code = "preflight-failed"


class UnhealthyError(StageError):
    """A component runs but does not get healthy."""

    code = "unhealthy"
    retriable = True
