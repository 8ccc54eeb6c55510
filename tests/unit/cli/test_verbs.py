# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs with a client below them: what they ask, print and return."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kubexms.errors import (
    ConnectionFailed,
    KubexmsError,
    Problem,
    Refused,
    RunActive,
    ValidationFailed,
)
from kubexms.plan.observation import Unreachable
from kubexms.plan.states import RunState
from kubexms.store.records import Event
from tests.unit.cli.conftest import FAILED_STEP, LOOKS, RUN, FakeClient, plan_of

Call = Callable[..., tuple[int, str, str]]


def test_plan_says_what_and_why(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"), warnings=("node old is not in the file",))
    code, out, err = kubexms("plan", "c.yaml")
    assert code == 0
    assert out.splitlines() == [
        "warning: node old is not in the file",
        "cluster demo: 1 steps on 1 hosts",
        "  w-1  files          a: 1 -> 2 and 1 more",
    ]
    assert "looking at 2 hosts" in err


def test_plan_shows_every_difference_when_asked(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"))
    _, out, _ = kubexms("plan", "c.yaml", "--diff")
    assert "b: 3 is missing" in out


def test_plan_of_a_cluster_as_wanted(client: FakeClient, kubexms: Call) -> None:
    assert kubexms("plan", "c.yaml")[1] == "cluster demo: nothing to do\n"


def test_plan_with_a_silent_host_is_partly_done(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(unreachable=(Unreachable("w-9", "unreachable", "timed out"),))
    code, out, _ = kubexms("plan", "c.yaml")
    assert code == 2
    assert "unreachable: w-9: timed out" in out


def test_plan_for_machines(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"))
    _, out, err = kubexms("plan", "c.yaml", "--output", "json")
    assert json.loads(out)["plan"]["steps"][0]["host"] == "w-1"
    assert err == ""


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            ConnectionFailed("nobody answers", hint="check"),
            5,
            "kubexms: nobody answers [unreachable]\n  check\n",
        ),
        (Refused("no"), 4, "kubexms: no [refused]\n"),
        (RunActive("run r is running", run_id="r"), 4, "kubexms: run r is running [run-active]\n"),
        (
            ValidationFailed([Problem("c.yaml", 3, 5, "spec.x", "unknown key", "did you mean y?")]),
            3,
            "c.yaml:3:5 spec.x: unknown key; did you mean y?\n",
        ),
        (KubexmsError("broken"), 1, "kubexms: broken [internal]\n"),
    ],
)
def test_errors_become_messages_and_exit_codes(
    client: FakeClient, kubexms: Call, error: KubexmsError, code: int, text: str
) -> None:
    client.error = error
    assert kubexms("plan", "c.yaml") == (code, "", text)
    found, out, _ = kubexms("deploy", "c.yaml", "--yes", "-o", "json")
    assert found == code
    assert json.loads(out)["error"]["code"] == error.code


def test_deploy_without_a_terminal_needs_yes(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"))
    code, _, err = kubexms("deploy", "c.yaml")
    assert code == 4
    assert "add --yes" in err
    assert "start" not in [name for name, _ in client.calls]


def test_deploy_with_nothing_to_do_asks_nobody(client: FakeClient, kubexms: Call) -> None:
    code, out, _ = kubexms("deploy", "c.yaml")
    assert code == 0
    assert "run run-1 done in 12.5s, changed=1" in out


def test_deploy_prints_a_line_for_each_event(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"))
    client.events_answer = (
        Event("run-1", 1, 1000.5, "task.started", "files"),
        Event("run-1", 2, 1001.0, "step.started", "files", "w-1"),
        Event("run-1", 3, 1003.0, "step.done", "files", "w-1", data={"changed": True, "seconds": 2.0}),
        Event("run-1", 4, 1004.0, "run.finished", data={"state": "done"}),
    )
    _, out, _ = kubexms("deploy", "c.yaml", "--yes")
    assert out.splitlines()[-4:] == [
        "    1.0s  step.started  files  w-1",
        "    3.0s  step.done  files  w-1  changed in 2.0s",
        "    4.0s  run.finished  done",
        "run run-1 done in 12.5s, changed=1",
    ]


def test_a_partial_run_names_host_stage_cause_and_last_lines(client: FakeClient, kubexms: Call) -> None:
    client.run_answer = replace(
        RUN, state=RunState.PARTIAL, finished_at=1010.0, result={"unreachable_hosts": ["w-9"]}
    )
    client.steps_answer = (FAILED_STEP,)
    code, out, _ = kubexms("deploy", "c.yaml", "--yes")
    assert code == 2
    assert "failed: join on w-1: w-1 did not become Ready [timeout]" in out
    assert "  | last line" in out
    assert "  look at the kubelet" in out
    assert "unreachable: w-9" in out


@pytest.mark.parametrize(("state", "code"), [(RunState.FAILED, 1), (RunState.CANCELLED, 130)])
def test_the_end_of_a_run_is_the_exit_code(
    client: FakeClient, kubexms: Call, state: RunState, code: int
) -> None:
    client.run_answer = replace(RUN, state=state, finished_at=1010.0)
    assert kubexms("resume", "c.yaml", "--yes")[0] == code


def test_ctrl_c_cancels_the_run(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("files", "w-1"))
    client.interrupt = True
    client.run_answer = replace(RUN, state=RunState.CANCELLED, finished_at=1010.0)
    code, _, err = kubexms("deploy", "c.yaml", "--yes")
    assert code == 130
    assert ("cancel", "run-1") in client.calls
    assert "stopping the run" in err


def test_deploy_for_machines_is_json_lines(client: FakeClient, kubexms: Call) -> None:
    client.events_answer = (Event("run-1", 1, 1000.5, "run.started"),)
    code, out, err = kubexms("deploy", "c.yaml", "--yes", "--output", "json")
    documents = [json.loads(line) for line in out.splitlines()]
    assert [list(document) for document in documents][::2] == [["plan"], ["run"]]
    assert documents[1]["kind"] == "run.started"
    assert (code, err) == (0, "")


def test_options_reach_the_plan(client: FakeClient, kubexms: Call) -> None:
    kubexms("deploy", "c.yaml", "-y", "--timeout", "60", "--accept-host", "w-1", "--adopt")
    options = client.calls[0][1]
    assert (options.timeout, options.accepted_hosts, options.adopt) == (60, {"w-1"}, True)


def test_reset_asks_as_deploy_does(client: FakeClient, kubexms: Call) -> None:
    client.plan_answer = plan_of(("reset", "w-1"))
    assert kubexms("reset", "c.yaml")[0] == 4
    assert kubexms("reset", "c.yaml", "--yes")[0] == 0


def test_status_tells_each_host(client: FakeClient, kubexms: Call) -> None:
    client.looks = LOOKS
    code, out, _ = kubexms("status", "c.yaml")
    assert code == 2
    assert out.splitlines()[:4] == [
        "cp-1  ready        control-plane  v1.36.3",
        "w-1   not joined   worker         ",
        "w-2   not ready    worker         v1.36.3",
        "w-3   unreachable  timed out",
    ]
    assert "last run run-1: deploy done" in out


def test_status_of_a_good_cluster(client: FakeClient, kubexms: Call) -> None:
    client.looks = {"cp-1": LOOKS["cp-1"]}
    code, out, _ = kubexms("status", "c.yaml", "-o", "json")
    assert code == 0
    assert json.loads(out)["hosts"][0]["state"] == "ready"


def test_runs(client: FakeClient, kubexms: Call) -> None:
    client.steps_answer = (FAILED_STEP,)
    client.events_answer = (Event("run-1", 1, 1000.5, "run.started"),)
    assert kubexms("runs", "list")[1].startswith("run-1  deploy  done")
    shown = kubexms("runs", "show", "run-1")[1]
    assert "trace trace-1" in shown
    assert "w-1 did not become Ready [timeout]" in shown
    assert kubexms("runs", "events", "run-1")[1] == "    0.5s  run.started\n"
    assert kubexms("runs", "events", "run-1", "--follow", "-o", "json")[1].startswith("{")
    assert kubexms("runs", "cancel", "run-1")[1] == "run run-1 is done\n"
    for arguments in (["list"], ["show", "run-1"], ["cancel", "run-1"]):
        assert json.loads(kubexms("runs", *arguments, "-o", "json")[1])


def test_kubeconfig_goes_to_a_private_file_once(client: FakeClient, kubexms: Call, tmp_path: Path) -> None:
    assert kubexms("kubeconfig", "c.yaml")[1] == "apiVersion: v1\n"
    target = tmp_path / "config"
    assert kubexms("kubeconfig", "c.yaml", "--file", str(target))[0] == 0
    assert target.stat().st_mode & 0o777 == 0o600
    code, _, err = kubexms("kubeconfig", "c.yaml", "--file", str(target))
    assert code == 4
    assert "--force" in err
    assert kubexms("kubeconfig", "c.yaml", "--file", str(target), "--force")[0] == 0
    assert kubexms("kubeconfig", "c.yaml", "--file", str(tmp_path / "no" / "x"))[0] == 4


def test_inventory_is_printed(client: FakeClient, kubexms: Call) -> None:
    assert kubexms("inventory", "render", "c.yaml")[1] == "all: {}\n"
