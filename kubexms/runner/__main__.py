# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m kubexms.runner RUN_DIR``: run the job in a directory in the background.

Returns 0 as soon as the supervisor holds its lease. Three processes: the one that was started, which
returns; a guard, which adopts all that the run starts and ends whatever outlives the supervisor; and
the supervisor itself.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubexms.runner import lease, processes
from kubexms.runner.control import JOB
from kubexms.runner.job import Job


def main() -> int:
    """Run the command line."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m kubexms.runner RUN_DIR\n")
        return 3
    directory = Path(sys.argv[1]).resolve()
    ready, report = os.pipe()
    if os.fork():
        os.close(report)
        return 0 if os.read(ready, 1) else 1
    os.close(ready)
    processes.adopt_orphans()
    supervisor = os.fork()
    if supervisor:
        os.close(report)
        return guard(supervisor)
    return supervise(directory, report, guardian=os.getppid())


def guard(supervisor: int) -> int:
    """Wait for the supervisor, then end every process that it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pid, status = 0, 0
    while pid != supervisor:
        pid, status = os.wait()
    processes.end(lambda: processes.below(os.getpid(), processes.running()))
    collect()
    return os.waitstatus_to_exitcode(status) & 0xFF


def collect() -> None:
    """Take the exit statuses of ended children, so that no zombie is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def supervise(directory: Path, report: int, guardian: int) -> int:
    """Be the supervisor of the run in ``directory``; tell ``report`` when the lease is held.

    Orphans of the run become children of process ``guardian``, which takes their exit statuses.
    """
    # The guard does without these, and so stays small.
    from kubexms.runner.call import AnsiblePlayer  # noqa: PLC0415
    from kubexms.runner.sockets import socket_directory  # noqa: PLC0415
    from kubexms.runner.spool import Spool  # noqa: PLC0415
    from kubexms.runner.supervisor import Stop, Supervisor  # noqa: PLC0415

    os.umask(0o077)
    job = Job.from_json((directory / JOB).read_text(encoding="utf-8"))
    secrets = {name: os.environ.pop(name) for name in job.environment if name in os.environ}
    sockets = socket_directory(directory)
    with Spool(directory, job.run_id) as spool, file_server(job) as variables:
        player = AnsiblePlayer(
            job, directory, sockets, secrets, lambda: processes.family(guardian, directory, sockets)
        )
        supervisor = Supervisor(job, spool, player, variables)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: supervisor.put(Stop()))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        lease.take(directory, sockets)
        os.write(report, b"1")
        os.close(report)
        state = supervisor.run()
    shutil.rmtree(sockets, ignore_errors=True)
    return 0 if state == "done" else 1


@contextmanager
def file_server(job: Job) -> Iterator[dict[str, Any]]:
    """Serve the job's files while the run lasts; the value is what playbooks must know of it."""
    if not job.files:
        yield {}
        return
    from kubexms.artifacts.server import FileServer  # noqa: PLC0415  most runs of probes have no files

    with FileServer({digest: Path(path) for digest, path in job.files.items()}, job.bind) as server:
        yield {"kubexms_artifact_port": server.port}


if __name__ == "__main__":
    sys.exit(main())
