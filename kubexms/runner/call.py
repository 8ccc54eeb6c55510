# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of ansible-playbook through ansible-runner. The only importer of ansible_runner.

ansible-runner owns the process and its terminal. Its own display plugin, which writes every result
with all its contents into a file and sends it through the terminal besides, is replaced by ours.
"""

import json
import os
import shutil
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_runner.interface import init_runner

from kubexms.runner import processes
from kubexms.runner.job import Job
from kubexms.runner.messages import MessageInvalid, parse
from kubexms.runner.playbook import Call, environment, playbook
from kubexms.runner.state import Outcome
from kubexms.runner.supervisor import Ended, Item, Reported

SEGMENTS = "segments"
_PLUGINS = Path(__file__).parent / "callback"
_TAIL_LINES = 20
_SETTINGS = {"pexpect_timeout": 0.5, "suppress_output_file": True}


class AnsiblePlayer:
    """Runs the calls of one job. Everything a call leaves on disk is removed when it ends."""

    def __init__(self, job: Job, directory: Path, sockets: Path) -> None:
        self._job = job
        self._directory = directory
        self._sockets = sockets

    def play(self, call: Call, put: Callable[[Item], None]) -> None:
        """Run one call to its end: put its messages, then Ended. Never raises."""
        private = self._private(call.number)
        try:
            outcome = self._play(call, private, put)
        except Exception as problem:  # noqa: BLE001  whatever ansible-runner does, the run must go on
            outcome = Outcome(-1, (f"{type(problem).__name__}: {problem}",))
        shutil.rmtree(private, ignore_errors=True)
        put(Ended(call.number, outcome))

    def stop(self, call: int) -> None:
        """End the playbook of one call and its workers; ssh's connection masters stay for other calls."""
        mark = f"KUBEXMS_EVENTS={self._socket(call)}"
        processes.end(lambda: processes.with_environment(mark))

    def stop_all(self) -> None:
        """End all processes of the run but the caller."""
        processes.end(lambda: processes.below(os.getpid(), processes.running()))

    def _private(self, number: int) -> Path:
        return self._directory / SEGMENTS / str(number)

    def _socket(self, number: int) -> Path:
        return self._sockets / f"events-{number}"

    def _play(self, call: Call, private: Path, put: Callable[[Item], None]) -> Outcome:
        self._prepare(call, private)
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(self._socket(call.number)))
            listener.listen(1)
            reader = threading.Thread(target=_read, args=(listener, call.number, put), daemon=True)
            reader.start()
            runner = self._runner(private, tail)
            runner.run()
            listener.shutdown(socket.SHUT_RDWR)
            reader.join()
        self._socket(call.number).unlink(missing_ok=True)
        return Outcome(-1 if runner.rc is None else runner.rc, tuple(tail))

    def _prepare(self, call: Call, private: Path) -> None:
        """Write what ansible-runner and ansible-playbook read."""
        for name in ("project", "env", "tmp"):
            (private / name).mkdir(mode=0o700, parents=True)
        (private / "project" / "main.json").write_text(playbook(call), encoding="utf-8")
        (private / "env" / "settings").write_text(json.dumps(_SETTINGS), encoding="utf-8")
        (private / "ansible.cfg").touch()

    def _runner(self, private: Path, tail: deque[str]) -> Any:
        variables = environment(
            self._job, directory=self._directory, private=private, sockets=self._sockets, plugins=_PLUGINS
        )
        variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"

        def note(event: dict[str, Any]) -> bool:
            """Keep the last lines that Ansible itself prints; write no event file."""
            tail.extend(str(event.get("stdout") or "").splitlines())
            return False

        runner = init_runner(
            private_data_dir=str(private),
            playbook=str(private / "project" / "main.json"),
            inventory=self._job.inventory_file,
            forks=self._job.forks,
            cmdline="--check --diff" if self._job.check else None,
            envvars=dict(variables),
            event_handler=note,
            cancel_callback=lambda: False,
            suppress_env_files=True,
            quiet=True,
            ident="call",
        )
        runner.config.env.update(variables)
        return runner


def _read(listener: socket.socket, number: int, put: Callable[[Item], None]) -> None:
    """Pass the messages of one playbook on until it hangs up, or never connects."""
    try:
        connection, _ = listener.accept()
    except OSError:
        return

    def proceed() -> None:
        try:
            connection.send(b"\n")
        except OSError:
            return

    with connection, connection.makefile("rb") as lines:
        for line in lines:
            try:
                put(Reported(number, parse(line), proceed))
            except MessageInvalid as problem:
                sys.stderr.write(f"call {number}: {problem}\n")
