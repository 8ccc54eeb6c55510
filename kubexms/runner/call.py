# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of ansible-playbook through ansible-runner. The only importer of ansible_runner.

ansible-runner owns the process and its terminal. Its own display plugin, which writes every result
with all its contents into a file and sends it through the terminal besides, is replaced by ours.
"""

import json
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_runner.interface import init_runner

from kubexms.runner import processes
from kubexms.runner.channel import Channel, censor
from kubexms.runner.control import SEGMENTS
from kubexms.runner.job import Job
from kubexms.runner.playbook import EVENTS, Call, environment, playbook
from kubexms.runner.state import Outcome
from kubexms.runner.supervisor import Ended, Item, Reported

_PLUGINS = Path(__file__).parent / "callback"
_TAIL_LINES = 20
_SETTINGS = {"pexpect_timeout": 0.5, "suppress_output_file": True}


class AnsiblePlayer:
    """Runs the calls of one job. Everything a call leaves on disk is removed when it ends.

    ``secrets`` are the environment variables that only playbooks get to know; ``family`` finds all
    processes of the run but this one.
    """

    def __init__(
        self,
        job: Job,
        directory: Path,
        sockets: Path,
        secrets: Mapping[str, str],
        family: Callable[[], Sequence[processes.Process]],
    ) -> None:
        self._job = job
        self._directory = directory
        self._sockets = sockets
        self._secrets = secrets
        self._family = family

    def play(self, call: Call, put: Callable[[Item], None]) -> None:
        """Run one call to its end: put its messages, then Ended. Never raises."""
        private = self._directory / SEGMENTS / str(call.number)
        try:
            outcome = self._play(call, private, put)
        except Exception as problem:  # noqa: BLE001  whatever ansible-runner does, the run must go on
            outcome = Outcome(-1, (f"{type(problem).__name__}: {problem}",))
        shutil.rmtree(private, ignore_errors=True)
        put(Ended(call.number, outcome))

    def stop(self, call: int) -> None:
        """End the playbook of one call and its workers; ssh's connection masters stay for other calls."""
        entry = f"{EVENTS}={self._socket(call)}"
        processes.end(lambda: processes.with_environment(entry))

    def stop_all(self) -> None:
        """End all processes of the run but this one."""
        processes.end(self._family)

    def _socket(self, call: int) -> Path:
        return self._sockets / f"events-{call}"

    def _play(self, call: Call, private: Path, put: Callable[[Item], None]) -> Outcome:
        _prepare(call, private)
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        path = self._socket(call.number)
        with Channel(path, self._secrets, lambda *report: put(Reported(call.number, *report))):
            runner = self._runner(private, path, tail)
            runner.run()
        lines = tuple(censor(line, self._secrets) for line in tail)
        return Outcome(-1 if runner.rc is None else runner.rc, lines)

    def _runner(self, private: Path, path: Path, tail: deque[str]) -> Any:
        """Return the ansible_runner.Runner of a prepared call."""

        def note(event: dict[str, Any]) -> bool:
            """Keep the last lines that Ansible itself prints; write no event file."""
            tail.extend(str(event.get("stdout") or "").splitlines())
            return False

        variables = environment(self._job, private=private, events=path, plugins=_PLUGINS)
        variables[processes.MARKER] = str(self._directory)
        variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        runner = init_runner(
            private_data_dir=str(private),
            playbook=str(private / "project" / "main.json"),
            inventory=self._job.inventory_file,
            forks=self._job.forks,
            cmdline="--check --diff" if self._job.check else None,
            event_handler=note,
            cancel_callback=lambda: False,
            suppress_env_files=True,
            quiet=True,
            ident="call",
        )
        runner.config.env.update(variables)  # after init_runner, which names its own display plugin
        return runner


def _prepare(call: Call, private: Path) -> None:
    """Write what ansible-runner and ansible-playbook read."""
    for name in ("project", "env", "tmp"):
        (private / name).mkdir(mode=0o700, parents=True)
    (private / "project" / "main.json").write_text(playbook(call), encoding="utf-8")
    (private / "env" / "settings").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    (private / "ansible.cfg").touch()
