# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs are called through one client: argv lists, a forced locale, a time limit, typed failure."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    CommandError,
    DeadlineError,
)


class Result(NamedTuple):
    """What a program left: exit status and its two texts."""

    status: int
    stdout: str
    stderr: str


_TIMED_OUT = 124  # timeout(1), GNU coreutils
_KILLED = 128 + 9  # what timeout leaves when the program did not heed its first signal
_FOLDERS = ("/usr/local/bin", "/usr/sbin", "/sbin")  # sudo's secure_path leaves some of them out


def search_path():
    """Return PATH with the folders that programs of a Kubernetes host lie in."""
    found = [folder for folder in os.environ.get("PATH", "/usr/bin:/bin").split(":") if folder]
    return ":".join([*found, *(folder for folder in _FOLDERS if folder not in found)])


class Client:
    """Calls programs and looks at the clock for one module call.

    ``module`` is the AnsibleModule (only its ``run_command`` is used). ``environment`` is added to
    each program's environment.
    """

    def __init__(self, module, environment=None):
        self._module = module
        self._environment = {"LC_ALL": "C", "LANGUAGE": "C", "PATH": search_path()}
        self._environment.update(environment or {})

    def run(self, argv, check=True, data=None, seconds=60, hint="", environment=None):
        """Run ``argv`` without a shell for at most ``seconds`` and return a Result of text.

        ``data`` is given on standard input, ``environment`` is added to this program's. Raises
        CommandError on a status other than 0 (with ``check``), DeadlineError when the time runs out.
        """
        bounded = ["timeout", "--kill-after=5", str(int(seconds)), *[str(word) for word in argv]]
        started = time.monotonic()
        status, stdout, stderr = self._module.run_command(
            bounded,
            data=data,
            environ_update={**self._environment, **(environment or {})},
            handle_exceptions=True,
        )
        elapsed = time.monotonic() - started
        if status == _TIMED_OUT or (status == _KILLED and elapsed >= seconds):
            raise DeadlineError(
                "{0} did not end within {1} s".format(" ".join(argv), int(seconds)),
                hint=hint or "look at the host's load and logs, then deploy again",
                tail=(stderr or stdout).splitlines()[-20:],
            )
        if check and status != 0:
            raise CommandError(argv, status, stdout, stderr, hint=hint)
        return Result(status, stdout, stderr)

    def which(self, name):
        """Return the full path of a program, or None."""
        for folder in search_path().split(":"):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and not os.path.isdir(path):
                return path
        return None

    def wait(self, condition, seconds, what, interval=0.25, hint=""):
        """Call ``condition`` until it returns something true, and return that.

        ``condition`` returns a false value while it is not yet so; it may return a text through
        raising StageError to end early. Raises DeadlineError naming ``what`` after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() >= deadline:
                raise DeadlineError("{0} did not happen within {1} s".format(what, int(seconds)), hint=hint)
            time.sleep(interval)
