# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs through the client."""

from __future__ import annotations

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _command
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    CommandError,
    DeadlineError,
    StageError,
)


def test_the_locale_is_forced_and_the_time_limited(client, programs):
    programs.expect((["uname", "-r"], 0, "6.1\n"))
    assert client.run(["uname", "-r"], seconds=7, environment={"A": "b"}, data="in") == (0, "6.1\n", "")
    assert (programs.seconds, programs.data) == ([7], ["in"])
    assert programs.environments[0].items() >= {"LC_ALL": "C", "LANGUAGE": "C", "A": "b"}.items()


def test_what_belongs_to_one_call_stays_there(client, programs):
    programs.expect(["true"], ["true"])
    client.run(["true"], environment={"A": "b"})
    client.run(["true"])
    assert "A" not in programs.environments[1]


def test_failure_names_command_status_and_last_line(client, programs):
    programs.expect((["kubeadm", "init"], 3, "out", "warning\nerror: no\n\n"))
    with pytest.raises(CommandError, match=r"^kubeadm init ended with status 3: error: no$") as caught:
        client.run(["kubeadm", "init"], hint="try")
    assert caught.value.as_result() == {
        "msg": "kubeadm init ended with status 3: error: no",
        "code": "command-failed",
        "hint": "try",
        "tail": ["warning", "error: no"],
        "retriable": False,
    }


def test_a_silent_failure_says_so(client, programs):
    programs.expect((["false"], 1))
    with pytest.raises(CommandError, match="it printed nothing"):
        client.run(["false"])


def test_failure_is_a_result_when_not_checked(client, programs):
    programs.expect((["false"], 1, "", "x"))
    assert client.run(["false"], check=False).status == 1


def test_time_running_out(client, programs):
    programs.expect((["sleep", "9"], 124, "one\ntwo\n"))
    with pytest.raises(DeadlineError, match="sleep 9 did not end within 5 s") as caught:
        client.run(["sleep", "9"], seconds=5)
    assert (caught.value.tail, caught.value.retriable) == (["one", "two"], True)


def test_one_that_had_to_be_killed_ran_out_of_time(client, programs, monkeypatch):
    clock = iter([100.0, 105.5])
    monkeypatch.setattr(_command.time, "monotonic", lambda: next(clock))
    programs.expect((["sleep", "9"], 137))
    with pytest.raises(DeadlineError, match="within 5 s"):
        client.run(["sleep", "9"], seconds=5)


def test_one_that_was_killed_before_its_time_failed(client, programs):
    programs.expect((["sleep", "9"], 137))
    with pytest.raises(CommandError, match="status 137"):
        client.run(["sleep", "9"], seconds=5)


def test_search_path_adds_the_folders_that_sudo_leaves_out(monkeypatch):
    monkeypatch.setenv("PATH", "/sbin::/usr/bin")
    assert _command.search_path() == "/sbin:/usr/bin:/usr/local/bin:/usr/sbin"
    monkeypatch.delenv("PATH")
    assert _command.search_path() == "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"


def test_which(client, host):
    host.programs("rpm")
    host.path("/usr/bin/dnf").mkdir()
    host.write("/usr/bin/apt-get", "", 0o644)
    assert client.which("rpm") == str(host.path("/usr/bin/rpm"))
    assert client.which("dnf") is None
    assert client.which("apt-get") is None


def test_wait_returns_what_came_true(client, monkeypatch):
    pauses = []
    monkeypatch.setattr(_command.time, "sleep", pauses.append)
    answers = iter([None, [], "here"])
    assert client.wait(lambda: next(answers), 10, "it", interval=0.5) == "here"
    assert pauses == [0.5, 0.5]


def test_wait_ends_at_the_deadline(client):
    with pytest.raises(DeadlineError, match="the moon did not happen within 0 s") as caught:
        client.wait(lambda: False, 0, "the moon", hint="look up")
    assert caught.value.hint == "look up"


def test_wait_ends_early_by_an_error(client):
    def broken():
        raise StageError("no", code="special", retriable=True)

    with pytest.raises(StageError, match="no") as caught:
        client.wait(broken, 10, "it")
    assert (caught.value.code, caught.value.retriable) == ("special", True)
