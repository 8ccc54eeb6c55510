# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with the database file, in the words of ``kubexms.errors``."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from kubexms.errors import StoreFailed, StoreFull

BUSY_SECONDS = 10
"""How long a writer waits for another process's transaction; ours take milliseconds."""


class ConstraintBroken(StoreFailed):
    """A constraint of the tables said no. Callers within the room turn it into what it means."""


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn the errors of SQLAlchemy and SQLite into ours."""
    try:
        yield
    except IntegrityError as cause:
        raise ConstraintBroken(f"the database {path} refused a row: {cause.orig}") from cause
    except SQLAlchemyError as cause:
        raise named(cause.__cause__ or cause, path) from cause
    except sqlite3.Error as cause:
        raise named(cause, path) from cause


def named(cause: BaseException, path: Path) -> StoreFailed:
    """Return our error for a failed use of the file."""
    code = _primary_code(cause)
    if code == sqlite3.SQLITE_FULL or getattr(cause, "errno", None) == errno.ENOSPC:
        return StoreFull(f"no space left for the database {path}", hint="free space, then resume the run")
    hints: dict[Any, str] = {
        sqlite3.SQLITE_BUSY: f"another process has been writing for {BUSY_SECONDS} s; try again",
        sqlite3.SQLITE_NOTADB: "the file is not a database; restore a backup or move it away",
        sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup or move it away",
    }
    return StoreFailed(f"the database {path} cannot be used: {cause}", hint=hints.get(code, ""))


def _primary_code(cause: BaseException) -> int | None:
    """Return SQLite's primary result code (https://www.sqlite.org/rescode.html), None for others."""
    code: int | None = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
