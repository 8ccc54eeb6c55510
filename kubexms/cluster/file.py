# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of a file -> text, with a bound on size. The only input of this room."""

import stat
from pathlib import Path
from typing import Never

from kubexms.errors import Problem, ValidationFailed

MAX_BYTES = 4 * 1024 * 1024
"""Largest cluster.yaml that is read; 1,000 hosts with labels take about 0.3 MiB."""


def read_text(path: Path) -> str:
    """Return the text of a cluster.yaml.

    Raises ValidationFailed when it is not a regular file, cannot be read, is larger than MAX_BYTES or
    is not UTF-8.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            _fail(path, "is not a file", "a regular file")
        if status.st_size > MAX_BYTES:
            _fail(path, f"has {status.st_size} bytes", f"at most {MAX_BYTES} bytes")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _fail(path, "there is no such file", "`kubexms init` writes a file to start from")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a valid file name"
        _fail(path, f"cannot be read: {reason}", "a readable file")
    if len(content) > MAX_BYTES:
        _fail(path, f"has more than {MAX_BYTES} bytes", f"at most {MAX_BYTES} bytes")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start]
        line = good.count(b"\n") + 1
        column = error.start - (good.rfind(b"\n") + 1) + 1
        _fail(path, "is not UTF-8 text", "text in UTF-8", line, column)


def _fail(path: Path, message: str, hint: str, line: int = 0, column: int = 0) -> Never:
    raise ValidationFailed([Problem(str(path), line, column, "", message, hint)])
