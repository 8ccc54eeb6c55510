# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins: what a host lacks is sent once, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.kubexms.cluster.plugins.action import artifact, image

A = "a" * 64
B = "b" * 64
FIRST = {"changed": True, "differences": ["first"], "diff": {"after": "first"}}


class Shell:
    """The part of a shell plugin that is used."""

    tmpdir = None

    def join_path(self, *parts):
        return "/".join(parts)


@pytest.fixture(params=[artifact, image], ids=["artifact", "image"])
def action(request, tmp_path, monkeypatch):
    """Return an action with a host behind it: ``results`` in order, ``calls`` and ``sent`` as they come."""
    for digest in (A, B):
        (tmp_path / digest[:2]).mkdir()
        (tmp_path / digest[:2] / digest).write_text(digest)
    plugin = request.param.ActionModule.__new__(request.param.ActionModule)
    plugin.results, plugin.calls, plugin.sent, plugin.made = [], [], [], []
    plugin._task = SimpleNamespace(args={"directory": str(tmp_path)}, async_val=0)

    def put(source, target):
        plugin.sent.append((Path(source).name, target))

    plugin._connection = SimpleNamespace(_shell=Shell(), put_file=put)

    def execute(module_args, task_vars):
        plugin.calls.append((dict(module_args), task_vars))
        return plugin.results.pop(0)

    def make():
        plugin.made.append(1)
        plugin._connection._shell.tmpdir = "/tmp/x"

    monkeypatch.setattr(plugin, "_execute_module", execute)
    monkeypatch.setattr(plugin, "_make_tmp_path", make)
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_: {})
    return plugin


def test_nothing_is_sent_when_nothing_is_missing(action):
    action.results = [{"changed": False}]
    assert action.run(task_vars={"v": 1}) == {"changed": False}
    assert (len(action.calls), action.calls[0][1], action.sent, action.made) == (1, {"v": 1}, [], [])


def test_missing_ones_are_sent_and_the_module_runs_again(action, tmp_path):
    action.results = [{**FIRST, "missing": [A, B]}, {"changed": True, "differences": ["second"], "diff": {}}]
    assert action.run() == FIRST
    assert action.sent == [(A, f"/tmp/x/{A}"), (B, f"/tmp/x/{B}")]
    assert len(action.made) == 1
    staged = {A: f"/tmp/x/{A}", B: f"/tmp/x/{B}"}
    assert action.calls[1][0] == {"directory": str(tmp_path), "staged": staged}


def test_a_failure_is_not_answered_by_sending(action):
    action.results = [{"failed": True, "missing": [A]}]
    assert action.run() == {"failed": True}
    assert action.sent == []


def test_a_failure_of_the_second_run_is_the_result(action):
    action.results = [{**FIRST, "missing": [A]}, {"failed": True, "msg": "bad"}]
    assert action.run() == {"failed": True, "msg": "bad"}


def test_what_the_controller_lacks_is_named(action, tmp_path):
    action.results = [{**FIRST, "missing": ["c" * 64]}]
    with pytest.raises(AnsibleActionFail, match=f"{'c' * 64} over HTTP, and the controller has no") as caught:
        action.run()
    result = caught.value.result
    assert (result["failed"], result["code"], result["retriable"]) == (True, "download-failed", True)
