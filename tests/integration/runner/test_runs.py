# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs with the real ansible-runner: how they go, and how they fail."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from kubexms.runner import Kind, Retry, Segment

DEAD = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 9,
    "ansible_timeout": 5,
}
"""A host whose ssh port is closed."""


def segment(name: str, *stages: str, hosts: tuple[str, ...] = ("a", "b"), **fields: Any) -> Segment:
    return Segment(name, tuple((stage, hosts) for stage in stages), **fields)


def test_a_run_that_goes_well(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}}
    began = time.time()
    bench.start(segment("one", "alpha", "beta"), segment("two", "once", after=("one",), delegates=("b",)))
    assert bench.finish() == {"state": "done", "failed_hosts": [], "blocked_hosts": []}
    events = bench.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert all(event.run_id == "r1" and event.time >= began - 1 for event in events)
    for stage in ("alpha", "beta", "once"):
        done = [event for event in events if event.kind == Kind.STEP_DONE and event.stage == stage]
        assert sorted(event.host for event in done) == ["a", "b"]
        path = {"path": f"file /etc/{stage}", "before": "absent", "after": "present"}
        assert path in done[0].data["differences"]
        assert done[0].data["changed"] is True
        assert done[0].data["seconds"] > 0
    order = [event for event in bench.short() if event.startswith("step.")]
    assert order.index("step.started beta a") > order.index("step.done alpha b")
    assert "token b" in bench.journal
    assert sum(line.startswith("token") for line in bench.journal) == 1
    assert sorted(path.name for path in bench.run.iterdir()) == [
        *("job.json", "lease.json", "segments", "spool.jsonl", "supervisor.log")
    ]
    assert list((bench.run / "segments").iterdir()) == []
    assert bench.log() == ""


def test_the_probe_reports_what_it_saw(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}}
    bench.start(segment("probe", "probe"))
    assert bench.finish()["state"] == "done"
    seen = {event.host: event.data for event in bench.events() if event.kind == Kind.OBSERVATION}
    assert seen == {host: {"schema": 1, "facts": {"host": host}} for host in ("a", "b")}


def test_one_host_fails_and_the_others_go_on(bench: Any) -> None:
    bench.hosts = {"a": {"act_alpha": {"failures": 9}}, "b": {}, "c": {"act_beta": {"crash": True}}}
    hosts = ("a", "b", "c")
    bench.start(segment("s", "alpha", "beta", "gamma", hosts=hosts))
    assert bench.finish() == {"state": "partial", "failed_hosts": ["a", "c"], "blocked_hosts": []}
    assert bench.error("alpha", "a") == {
        "code": "command-failed",
        "message": "it did not work on a",
        "hint": "try again",
        "tail": ["first line", "last line"],
        "retriable": False,
    }
    crash = bench.error("beta", "c")
    assert crash["code"] == "internal"
    assert "the module crashed" in crash["message"]
    assert {"step.blocked beta a", "step.blocked gamma a", "step.blocked gamma c"} <= set(bench.short())
    assert "step.done gamma b" in bench.short()


def test_a_flaky_host_catches_up(bench: Any) -> None:
    flaky = {"failures": 2, "retriable": True}
    bench.hosts = {"a": {"act_beta": flaky}, "b": {}}
    bench.start(segment("s", "alpha", "beta"), retries={"beta": Retry(3, 0.1, 1.0)})
    assert bench.finish()["state"] == "done"
    assert bench.journal.count("alpha a") == 1, "what is done is not done again"
    assert bench.journal.count("beta a") == 3
    assert bench.journal.count("beta b") == 1
    attempts = [(e.kind, e.attempt) for e in bench.events() if (e.stage, e.host) == ("beta", "a")]
    assert attempts[-1] == ("step.done", 3)


def test_a_dead_host_leaves_and_the_others_do_not_wait(bench: Any) -> None:
    bench.hosts = {"a": {}, "dead": DEAD}
    bench.start(segment("s", "alpha", "beta", hosts=("a", "dead")), retries={"alpha": Retry(2, 0.1)})
    assert bench.finish() == {"state": "partial", "failed_hosts": ["dead"], "blocked_hosts": []}
    error = bench.error("alpha", "dead")
    assert error["code"] == "unreachable"
    assert "Connection refused" in error["message"]
    assert bench.short().count("host.unreachable alpha dead") == 2
    assert "step.done beta a" in bench.short()


def test_a_silent_host_costs_its_connect_timeout_and_no_more(bench: Any) -> None:
    # A proxy command that never answers stands for a host that drops what it is sent.
    silent = DEAD | {"ansible_timeout": 2, "ansible_ssh_common_args": "-o ProxyCommand='sleep 60'"}
    bench.hosts = {"a": {}, "silent": silent}
    bench.start(segment("s", "alpha", "beta", hosts=("a", "silent")))
    assert bench.finish()["failed_hosts"] == ["silent"]
    times = {event: e.time for event, e in zip(bench.short(), bench.events(), strict=True)}
    assert times["step.started beta a"] - times["step.started alpha a"] < 10
    assert bench.error("alpha", "silent")["code"] == "unreachable"


def test_all_hosts_dead_is_a_failed_run(bench: Any) -> None:
    bench.hosts = {"a": DEAD, "b": DEAD}
    bench.start(segment("one", "alpha", "beta"), segment("two", "gamma", after=("one",)))
    assert bench.finish() == {"state": "failed", "failed_hosts": ["a", "b"], "blocked_hosts": []}
    finished = {e.data["segment"]: e.data["state"] for e in bench.events() if e.kind == Kind.SEGMENT_FINISHED}
    assert finished == {"one": "failed", "two": "blocked"}
    assert "step.blocked gamma b" in bench.short()


def test_a_delegate_that_is_dead_fails_the_hosts_it_was_to_help(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}, "dead": DEAD}
    bench.start(segment("s", "once", delegates=("dead",)))
    assert bench.finish() == {"state": "failed", "failed_hosts": ["a", "b"], "blocked_hosts": []}
    assert bench.error("once", "a")["code"] == "delegate-unreachable"
    assert bench.error("once", "b")["message"].startswith("dead, which was to help, cannot be reached")
    assert "host.unreachable once a" not in bench.short()


def test_a_failed_task_for_all_fails_all(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}}
    bench.variables = {"token_failures": 9}
    bench.start(segment("s", "once", delegates=("a",)))
    assert bench.finish() == {"state": "failed", "failed_hosts": ["a", "b"], "blocked_hosts": []}
    assert bench.error("once", "b")["code"] == "internal"
    assert bench.error("once", "b") == bench.error("once", "a")


def test_hosts_in_turn_stop_at_the_first_failure(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {"act_serial": {"failures": 9}}, "c": {}}
    bench.start(segment("s", "serial", hosts=("a", "b", "c")))
    assert bench.finish() == {"state": "partial", "failed_hosts": ["b"], "blocked_hosts": ["c"]}
    assert bench.journal == ["serial a", "serial b"]


def test_a_stage_that_lost_its_hosts_does_not_take_others_with_it(bench: Any) -> None:
    bench.hosts = {"a": {"act_alpha": {"failures": 9}}, "b": {}}
    bench.start(Segment("s", (("alpha", ("a",)), ("beta", ("a", "b")))))
    assert bench.finish() == {"state": "partial", "failed_hosts": ["a"], "blocked_hosts": []}
    assert "step.done beta b" in bench.short()


@pytest.mark.parametrize(
    ("stage", "hosts", "text"),
    [
        ("broken", ("a",), "kubexms.cluster.missing"),
        ("nowhere", ("a",), "nowhere"),
        ("alpha", ("stranger",), "ansible-playbook ended"),
    ],
)
def test_what_ansible_cannot_play_is_said(bench: Any, stage: str, hosts: tuple[str, ...], text: str) -> None:
    bench.hosts = {"a": {}}
    bench.start(segment("s", stage, hosts=hosts))
    assert bench.finish()["state"] == "failed"
    error = bench.error(stage, hosts[0])
    assert error["code"] == "internal"
    assert text in error["message"] + "\n".join(error["tail"])


def test_an_inventory_that_cannot_be_read_is_said(bench: Any) -> None:
    bench.hosts = {"a": {}}
    job_segment = segment("s", "alpha", hosts=("a",))
    bench.job(job_segment)
    (bench.path / "inventory.yml").write_text("all: [unclosed", encoding="utf-8")
    bench.job = lambda *segments, **fields: _job(bench, segments)
    bench.start(job_segment)
    assert bench.finish()["state"] == "failed"
    assert "inventory.yml" in "\n".join(bench.error("alpha", "a")["tail"])


def _job(bench: Any, segments: tuple[Segment, ...]) -> Any:
    from kubexms.runner import Job  # noqa: PLC0415

    return Job("r1", "t1", "deploy", str(bench.path / "inventory.yml"), str(Path(__file__).parent), segments)


def test_a_stage_out_of_time_is_stopped_and_the_run_goes_on(bench: Any) -> None:
    bench.hosts = {"a": {"act_alpha": {"wait_for": str(bench.gate)}}, "b": {}}
    bench.start(segment("s", "alpha", "beta"), stage_timeouts={"alpha": 12.0})
    assert bench.finish() == {"state": "partial", "failed_hosts": ["a"], "blocked_hosts": []}
    assert bench.error("alpha", "a")["code"] == "timeout"
    assert "step.done beta b" in bench.short()


def test_a_run_out_of_time_is_stopped(bench: Any) -> None:
    bench.hosts = {"a": {"act_alpha": {"wait_for": str(bench.gate)}}, "b": {}}
    bench.start(segment("s", "alpha", "beta"), timeout_seconds=10.0)
    assert bench.finish()["state"] == "timeout"
    assert "step.interrupted alpha a" in bench.short()


def test_check_mode_reports_and_changes_nothing(bench: Any) -> None:
    bench.hosts = {"a": {}}
    bench.start(segment("s", "checked", hosts=("a",)), check=True)
    assert bench.finish()["state"] == "done"
    assert not (bench.path / "made").exists()
    done = next(event for event in bench.events() if event.kind == Kind.STEP_DONE)
    assert done.data["changed"] is True


def test_the_cluster_is_told_who_failed(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {"act_alpha": {"failures": 9}}}
    bench.start(segment("one", "alpha"), segment("two", "told", hosts=("a",), after=("one",)))
    assert bench.finish()["state"] == "partial"
    assert "told failed=b" in bench.journal


def test_files_are_served_while_the_run_lasts(bench: Any) -> None:
    digest = "ab" * 32
    (bench.path / "blob").write_text("content", encoding="utf-8")
    bench.hosts = {"a": {}}
    bench.variables = {"digest": digest}
    bench.start(
        segment("s", "fetch", hosts=("a",)), files={digest: str(bench.path / "blob")}, bind="127.0.0.1"
    )
    assert bench.finish()["state"] == "done"
    assert "fetched content" in bench.journal


def test_other_settings_of_ansible_play_no_part(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.path / "ansible.cfg").write_text("[defaults]\ninventory = /nonsense\nforks = broken\n")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(bench.path / "ansible.cfg"))
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "nonsense")
    monkeypatch.chdir(bench.path)
    bench.hosts = {"a": {}}
    bench.start(segment("s", "alpha", hosts=("a",)))
    assert bench.finish()["state"] == "done"


def test_no_secret_is_left_anywhere(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a no_log argument, an environment variable, module output, a failure that repeats them."""
    monkeypatch.setenv("REGISTRY_PASSWORD", "planted-from-environment")
    bench.hosts = {
        "a": {
            "secret": "{{ lookup('env', 'REGISTRY_PASSWORD') }}",
            "act_beta": {"failures": 9, "leak": True},
        },
        "b": {
            "act_beta": {"failures": 9, "quote": "{{ secret }}"},
            "secret": "{{ lookup('env', 'REGISTRY_PASSWORD') }}",
        },
    }
    bench.hosts["a"]["act_alpha"] = {"wait_for": str(bench.gate), "expect_secret": True}
    bench.start(segment("s", "alpha", "beta"), environment=("REGISTRY_PASSWORD",))
    bench.until(lambda: "alpha a" in bench.journal)
    assert planted(bench.run) == [], "while a stage runs"
    assert arguments_with("planted") == []
    bench.gate.touch()
    assert bench.finish()["failed_hosts"] == ["a", "b"]
    assert planted(bench.run) == []
    assert "step.done alpha a" in bench.short(), "the playbook did know it"
    assert "***" in bench.error("beta", "b")["message"]


def planted(directory: Path) -> list[Path]:
    """Return the files that hold something planted."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path for path in files if b"planted" in path.read_bytes()]


def arguments_with(text: str) -> list[bytes]:
    """Return the command lines of this machine that hold a text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                found.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
    return [line for line in found if text.encode() in line]
