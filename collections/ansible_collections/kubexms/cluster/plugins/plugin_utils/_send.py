# SPDX-License-Identifier: GPL-3.0-or-later
"""The way over SSH for bytes that a host could not fetch over HTTP.

The module says which digests it lacks. These, and nothing else, are sent from the controller's directory
through Ansible's connection into the task's temporary directory, which Ansible removes when the task
ends; then the module runs once more.
"""

from __future__ import annotations

import os

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


class SendingAction(ActionBase):
    """Runs the module of the task; sends what it lacks from ``directory``, and runs it again.

    ``directory`` holds the file of a digest at ``{first two digits}/{digest}``.
    """

    def run(self, tmp=None, task_vars=None):
        """Return the module's result. What differed is what the first run found."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        first = self._execute_module(module_args=arguments, task_vars=task_vars)
        missing = first.pop("missing", [])
        if not missing or first.get("failed"):
            return first
        staged = {digest: self._send(_local(arguments["directory"], digest)) for digest in missing}
        second = self._execute_module(module_args={**arguments, "staged": staged}, task_vars=task_vars)
        if second.get("failed"):
            return second
        return {**second, **{key: first[key] for key in ("changed", "differences", "diff")}}

    def _send(self, path):
        """Send a file and return where it lies on the host."""
        shell = self._connection._shell  # noqa: SLF001 - where Ansible keeps the task's directory
        if not shell.tmpdir:
            self._make_tmp_path()
        target = shell.join_path(shell.tmpdir, os.path.basename(path))
        self._connection.put_file(path, target)
        return target


def _local(directory, digest):
    path = os.path.join(directory, digest[:2], digest)
    if os.path.isfile(path):
        return path
    hint = "see whether the host reaches the file server, and whether the controller has the artifacts"
    raise AnsibleActionFail(
        f"the host could not fetch {digest} over HTTP, and the controller has no {path} to send",
        result={"code": "download-failed", "hint": hint, "tail": [], "retriable": True},
    )
