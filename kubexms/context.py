# SPDX-License-Identifier: GPL-3.0-or-later
"""The context that every call with I/O takes first: who asks, until when, and whether to stop."""

import secrets
import threading
import time
from dataclasses import dataclass, field, replace

from kubexms.errors import Cancelled, DeadlineExceeded


def new_trace_id() -> str:
    """Return a W3C trace id: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Context:
    """Run id, trace id, deadline and cancellation of one request.

    ``deadline`` is a ``time.monotonic()`` value in seconds, or None for no limit. ``cancelled`` is
    set by whoever wants the work to stop; workers call :meth:`check` at every safe point.
    The zero value has no run, a fresh trace and no limit.
    """

    run_id: str = ""
    trace_id: str = field(default_factory=new_trace_id)
    deadline: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def with_timeout(self, seconds: float) -> "Context":
        """Return a copy that ends after ``seconds`` at the latest, or at its own deadline when earlier."""
        deadline = time.monotonic() + seconds
        return replace(self, deadline=deadline if self.deadline is None else min(deadline, self.deadline))

    def remaining(self) -> float | None:
        """Return the seconds left (never negative), or None where there is no limit."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Raise Cancelled or DeadlineExceeded when the work must stop."""
        if self.cancelled.is_set():
            raise Cancelled("the operation was cancelled")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the operation ran out of time", hint="allow more with --timeout")

    def wait(self, seconds: float) -> None:
        """Wait up to ``seconds`` between two looks at a condition, ending early on cancel or deadline."""
        remaining = self.remaining()
        self.cancelled.wait(seconds if remaining is None else min(seconds, remaining))
        self.check()
