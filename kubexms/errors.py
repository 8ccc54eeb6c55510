# SPDX-License-Identifier: GPL-3.0-or-later
"""The one tree of errors. A class exists for each thing a caller can decide on.

Every error says what happened, where, why and what to do; ``code`` is stable and meant for machines.
They are raised deep with ``raise ... from cause`` and translated once, at the door (the command
line's exit code, later the API's problem document)::

    KubexmsError               1  a fault of ours, or one without a better class
    ├── ValidationFailed       3  the input is wrong; carries every Problem found
    ├── Refused                4  the request is understood and refused, nothing was touched
    │   ├── RunActive             another run of this cluster is under way
    │   ├── IdentityMismatch      a host is not the machine that was recorded, or is another cluster's
    │   ├── ImmutableChanged      the change cannot be made on a running cluster
    │   ├── IllegalTransition     a run cannot move from its state to the one asked for
    │   └── NotSupported          understood, but not built
    ├── ConnectionFailed       5  hosts, mirrors or other peers cannot be reached
    ├── ArtifactFailed         1  an artifact cannot be had
    │   └── DigestMismatch        an artifact is not the one that was pinned
    ├── StoreFailed            1  the database cannot be opened, read or written
    │   └── StoreFull             no space left for it; what was committed is whole
    ├── CommandFailed          1  a local program failed; carries argv, status and last lines
    ├── DeadlineExceeded       1  the time allowed ran out
    ├── Cancelled              1  the caller asked to stop
    ├── NotFound               3  a named thing (run, cluster, lab) does not exist
    ├── RunFailed              1  a run ended without reaching the cluster on any host
    └── RunPartial             2  a run ended with named hosts failed
"""

from collections.abc import Sequence
from dataclasses import dataclass


class KubexmsError(Exception):
    """Base of all errors of the project.

    ``message`` says what happened where and why; ``hint`` says what to do; ``code`` is for machines.
    """

    code = "internal"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True)
class Problem:
    """One finding in a document the user wrote. Line and column count from 1; 0 means unknown."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        text = f"{where} {self.path}: {self.message}" if self.path else f"{where}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class ValidationFailed(KubexmsError):
    """The input breaks its rules. ``problems`` lists every one of them, in the order of the file."""

    code = "validation-failed"
    exit_code = 3

    def __init__(self, problems: Sequence[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), hint=hint)


class Refused(KubexmsError):
    """Understood and refused; nothing was touched."""

    code = "refused"
    exit_code = 4


class RunActive(Refused):
    """Another run of the same cluster is under way; ``run_id`` names it."""

    code = "run-active"

    def __init__(self, message: str, *, run_id: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run_id = run_id


class IdentityMismatch(Refused):
    """A host is not the machine that was recorded, is two names of one machine, or is another cluster's."""

    code = "identity-mismatch"


class ImmutableChanged(Refused):
    """The change asked for cannot be made on a running cluster."""

    code = "immutable-changed"


class IllegalTransition(Refused):
    """A run cannot move from its state to the one asked for."""

    code = "illegal-transition"


class NotSupported(Refused):
    """Understood, but not built."""

    code = "not-supported"


class ConnectionFailed(KubexmsError):
    """Hosts or other peers cannot be reached."""

    code = "unreachable"
    exit_code = 5


class ArtifactFailed(KubexmsError):
    """An artifact cannot be had from any source."""

    code = "artifact-failed"


class DigestMismatch(ArtifactFailed):
    """An artifact is not the one that was pinned."""

    code = "digest-mismatch"

    def __init__(self, *, file: str, expected: str, found: str, source: str) -> None:
        super().__init__(
            f"{file} from {source} has digest {found}, expected {expected}",
            hint="remove the source's copy or correct the pinned digest; nothing of it was used",
        )
        self.file = file
        self.expected = expected
        self.found = found
        self.source = source


class StoreFailed(KubexmsError):
    """The database cannot be opened, read or written."""

    code = "store-failed"


class StoreFull(StoreFailed):
    """The database's file system has no space left. Nothing of the failed write is stored."""

    code = "store-full"


class CommandFailed(KubexmsError):
    """A local program failed. ``argv``, ``status`` and ``tail`` (its last lines) say how."""

    code = "command-failed"

    def __init__(self, argv: Sequence[str], status: int, tail: Sequence[str], *, hint: str = "") -> None:
        self.argv = tuple(argv)
        self.status = status
        self.tail = tuple(tail)
        last = self.tail[-1] if self.tail else "no output"
        super().__init__(f"{' '.join(argv)} ended with status {status}: {last}", hint=hint)


class DeadlineExceeded(KubexmsError):
    """The time allowed ran out."""

    code = "deadline-exceeded"


class Cancelled(KubexmsError):
    """The caller asked to stop."""

    code = "cancelled"


class NotFound(KubexmsError):
    """A named thing (a run, a cluster, a lab, a file) does not exist."""

    code = "not-found"
    exit_code = 3


class RunFailed(KubexmsError):
    """A run ended without reaching the cluster."""

    code = "run-failed"


class RunPartial(KubexmsError):
    """A run ended with named hosts failed; the others are done."""

    code = "run-partial"
    exit_code = 2
