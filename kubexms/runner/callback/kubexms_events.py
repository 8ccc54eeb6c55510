# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The callback plugin that reports a playbook to its supervisor. Runs inside ansible-playbook.

One JSON line for each thing that happened goes to the Unix socket named by KUBEXMS_EVENTS. Only the
fields named here leave the process: no arguments, no other result contents. Where a play begins or
the playbook ends, the plugin waits until the supervisor has everything before it on disk.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kubexms_events
type: stdout
short_description: Reports plays, hosts and results to the supervisor of a kubexms run
description:
  - Writes JSON lines to the Unix socket named by the environment variable E(KUBEXMS_EVENTS).
  - Ends the playbook when the supervisor is gone.
"""

SOCKET_VARIABLE = "KUBEXMS_EVENTS"
TAIL_LINES = 20
LINE_LENGTH = 2000
DIFFERENCES = 200
PR_SET_PDEATHSIG = 1


def _text(value: Any, length: int = LINE_LENGTH) -> str:
    """Return a value as text of at most ``length`` characters, nothing as no text."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)
    return text if len(text) <= length else text[: length - 1] + "…"


def differences_of(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return the differences a module reported, each cut down to path, before and after as text."""
    found = result.get("differences")
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return [
        {key: _text(item.get(key)) for key in ("path", "before", "after")} for item in items[:DIFFERENCES]
    ]


def error_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return {code, message, hint, tail, retriable} of a failed result.

    A result without a code is a failure of Ansible's own: ``internal``.
    """
    code, tail = result.get("code"), result.get("tail")
    return {
        "code": _text(code) if isinstance(code, str) and code else "internal",
        "message": _text(result.get("msg") or result.get("censored") or "the task failed without a message"),
        "hint": _text(result.get("hint")),
        "tail": [_text(line) for line in tail[-TAIL_LINES:]] if isinstance(tail, list) else [],
        "retriable": result.get("retriable") is True,
    }


def unreachable_error_of(result: dict[str, Any], delegate: str) -> dict[str, Any]:
    """Return the error of a host that ssh cannot reach, or whose ``delegate`` it cannot reach."""
    message = _text(result.get("msg") or "the host cannot be reached")
    if delegate:
        message = f"{delegate}, which was to help, cannot be reached: {message}"
    code = "delegate-unreachable" if delegate else "unreachable"
    return {"code": code, "message": message, "hint": "", "tail": [], "retriable": True}


def last_task(play: Any) -> str:
    """Return the id of the play's last task when its success proves the play done for a host, else "".

    It proves nothing where handlers may follow, where the task is for one host of all, is included
    only at run time, or stands in a block that rescues.
    """
    tasks = [task for block in play.compile() for task in _tasks_of(block) if not _is(task, "meta")]
    if not tasks or play.handlers or any(role.get_handler_blocks(play) for role in play.get_roles()):
        return ""
    last = tasks[-1]
    at_run_time = _is(last, "include_tasks") or _is(last, "include_role") or last.get_first_parent_include()
    return "" if last.run_once or at_run_time or _rescued(last) else str(last._uuid)  # noqa: SLF001


def _is(task: Any, action: str) -> bool:
    """Tell whether a task is this action, named with or without its collection."""
    return str(task.action) in {action, f"ansible.builtin.{action}", f"ansible.legacy.{action}"}


def _tasks_of(block: Any) -> list[Any]:
    """Return the tasks of a block in their order, nested blocks resolved."""
    tasks: list[Any] = []
    for item in block.block + block.always:
        tasks += _tasks_of(item) if hasattr(item, "block") and hasattr(item, "rescue") else [item]
    return tasks


def _rescued(task: Any) -> bool:
    """Tell whether a block around the task has a rescue section."""
    parent = task._parent  # noqa: SLF001
    while parent is not None:
        if getattr(parent, "rescue", None):
            return True
        parent = parent._parent  # noqa: SLF001
    return False


def _die_with_parent() -> None:
    """Have the kernel end this process, by SIGTERM, when the supervisor that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _end_playbook() -> None:
    """End the playbook and, through its own handler, its workers: nobody supervises them any more."""
    os.kill(os.getpid(), signal.SIGTERM)


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible has no types
    """Sends what happens to the supervisor; never raises into Ansible."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "kubexms_events"

    def __init__(self) -> None:
        super().__init__()
        self._last = ""
        self._peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._replies = self._peer.makefile("rb")
        _die_with_parent()
        try:
            self._peer.connect(os.environ[SOCKET_VARIABLE])
            os.environ.update(json.loads(self._replies.readline())["environment"])
        except (OSError, ValueError):
            _end_playbook()
        os.register_at_fork(after_in_child=self._hang_up)

    def _hang_up(self) -> None:
        """Close the connection in a worker process, so that it ends with the playbook itself."""
        self._replies.close()
        self._peer.close()

    def _send(self, kind: str, *, wait: bool = False, **fields: Any) -> None:
        """Send one message; with ``wait`` return only when the supervisor has it on disk."""
        line = json.dumps({"kind": kind, **fields}, default=str) + "\n"
        try:
            self._peer.sendall(line.encode())
            if wait and not self._replies.readline():
                _end_playbook()
        except OSError:
            _end_playbook()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Begin a stage, or its next batch of hosts."""
        try:
            self._last = last_task(play)
        except AttributeError:  # another ansible-core: the end of the play will have to do
            self._last = ""
        self._send("play", wait=True, stage=play.get_name())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """Name the task that the hosts are at."""
        self._send("task", task=task.get_name())

    def v2_runner_on_start(self, host: Any, task: Any) -> None:  # noqa: ARG002
        """Report a host that starts on a task."""
        self._send("start", host=host.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        """Report a success, with what the module says it changed or observed."""
        content = {} if result.result.get("_ansible_no_log") else result.result
        fields: dict[str, Any] = {"changed": result.is_changed(), "differences": differences_of(content)}
        if isinstance(content.get("observation"), dict):
            fields["observation"] = content["observation"]
        self._send("ok", host=result.host.get_name(), last=self._is_last(result), **fields)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Report a task whose condition was false: it did what it had to."""
        self._send(
            "ok", host=result.host.get_name(), changed=False, differences=[], last=self._is_last(result)
        )

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Report a failure; an ignored one counts as a success."""
        if ignore_errors:
            self.v2_runner_on_skipped(result)
        else:
            self._failed(result, error_of(result.result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Report a host that ssh cannot reach."""
        self._failed(result, unreachable_error_of(result.result, str(result.task.delegate_to or "")))

    def _failed(self, result: Any, error: dict[str, Any]) -> None:
        """Report a failure; that of a task run once is the failure of all hosts in the play."""
        host, task = result.host.get_name(), result.task.get_name()
        self._send("failed", host=host, task=task, error=error, all=bool(result.task.run_once))

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        """End the last stage."""
        self._send("end", wait=True)

    def _is_last(self, result: Any) -> bool:
        """Tell whether nothing can follow for this host in the play."""
        return str(result.task._uuid) == self._last  # noqa: SLF001
