# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: a supervisor process for each, which drives ansible-runner and writes events to a spool.

Neighbours: ``service`` starts and cancels runs and tails their spools; ``plan`` and ``inventory``
say what a job contains; the collection's playbooks do the work. A supervisor needs nobody to finish.
"""

from kubexms.runner.control import cancel, is_alive, reap, start
from kubexms.runner.events import Event, Kind
from kubexms.runner.job import Job, JobInvalid, Retry, Segment
from kubexms.runner.lease import Lease
from kubexms.runner.spool import read_events

__all__ = [
    "Event",
    "Job",
    "JobInvalid",
    "Kind",
    "Lease",
    "Retry",
    "Segment",
    "cancel",
    "is_alive",
    "read_events",
    "reap",
    "start",
]
