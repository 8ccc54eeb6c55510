# SPDX-License-Identifier: GPL-3.0-or-later
"""The door: what every stage module does, whatever its stage."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._door import run_stage
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import PreflightError


@pytest.fixture
def enter(host, capsys):
    """Return a function that runs a stage and returns (what was called, result)."""

    def run(found=(), error=None, result=None, check=False):
        called = []

        def compare(client, params):
            called.append(("compare", params["name"]))
            differences = Differences()
            for path in found:
                differences.add(path, "", "there")
            return differences

        def apply(client, params, differences):
            called.append(("apply", [item["path"] for item in differences]))
            if error:
                raise error
            return result

        stage = SimpleNamespace(ARGUMENTS={"name": {"type": "str"}}, compare=compare, apply=apply)
        arguments = {"name": "x", "_ansible_check_mode": check, "_ansible_tmpdir": str(host.root)}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            run_stage(stage)
        return called, json.loads(capsys.readouterr().out)

    return run


def test_no_difference_no_act(enter):
    called, result = enter()
    assert called == [("compare", "x")]
    assert (result["changed"], result["differences"]) == (False, [])


def test_a_difference_is_acted_on_and_told(enter):
    called, result = enter(["a"], result={"missing": ["m"]})
    assert called == [("compare", "x"), ("apply", ["a"])]
    assert (result["changed"], result["missing"]) == (True, ["m"])
    assert result["diff"] == {"before": "a: \n", "after": "a: there\n"}


def test_check_mode_takes_no_lock_and_does_not_act(enter, host):
    called, result = enter(["a"], check=True)
    assert called == [("compare", "x")]
    assert result["changed"]
    assert not host.path("/run/kubexms").exists()


def test_a_typed_failure_keeps_its_fields(enter):
    _called, result = enter(["a"], error=PreflightError("lacks x", hint="add x", tail=["y"]))
    assert result["failed"]
    assert {key: result[key] for key in ("msg", "code", "hint", "tail", "retriable")} == {
        "msg": "lacks x",
        "code": "preflight-failed",
        "hint": "add x",
        "tail": ["y"],
        "retriable": False,
    }


def test_what_the_kernel_refuses_is_a_failure_and_no_traceback(enter):
    _called, result = enter(["a"], error=OSError(28, "No space left on device", "/etc/a"))
    assert (result["failed"], result["code"]) == (True, "system-error")
    assert result["msg"] == "[Errno 28] No space left on device: '/etc/a'"
