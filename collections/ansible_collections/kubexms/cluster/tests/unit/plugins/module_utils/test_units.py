# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd units: what show prints, and what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _units
from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError

DATA = Path(__file__).resolve().parents[2] / "data"
SHOW = [
    "systemctl",
    "show",
    "a.service",
    "--property=Id,LoadState,ActiveState,SubState,UnitFileState,ActiveEnterTimestampMonotonic,NRestarts,MainPID",
]
JOURNAL = ["journalctl", "--no-pager", "--output=cat", "--lines=20", "--unit=a.service"]


@pytest.mark.parametrize(
    ("name", "enabled", "active"),
    [("running", True, True), ("absent", False, False)],
)
def test_real_output(client, programs, name, enabled, active):
    text = (DATA / f"systemctl-252-show-{name}.txt").read_text()
    programs.expect((SHOW, 0, text))
    differences = Differences()
    state = _units.compare_unit(client, differences, "a.service", enabled=enabled, active=active)
    assert not differences
    assert (state["ActiveState"] == "active") is active
    assert state["MainPID"].isdigit()


def test_differences(client, programs):
    programs.expect((SHOW, 0, "ActiveState=activating\nUnitFileState=disabled\n"))
    differences = Differences()
    _units.compare_unit(client, differences, "a.service")
    assert [tuple(item.values()) for item in differences] == [
        ("a.service enabled", "false", "true"),
        ("a.service active", "false", "true"),
    ]


def test_either_is_fine(client, programs):
    programs.expect((SHOW, 0, "ActiveState=active\nUnitFileState=enabled\n"))
    differences = Differences()
    _units.compare_unit(client, differences, "a.service", enabled=None, active=None)
    assert not differences


def test_verbs(client, programs):
    programs.expect(
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "a.service"],
        ["systemctl", "restart", "a.service"],
    )
    _units.daemon_reload(client)
    _units.enable(client, "a.service")
    _units.restart(client, "a.service")


@pytest.mark.parametrize(("log", "tail"), [("one\ntwo\n", ["one", "two"]), ("", ["Job failed"])])
def test_a_unit_that_does_not_start_shows_its_log(client, programs, log, tail):
    programs.expect((["systemctl", "restart", "a.service"], 1, "", "Job failed"), (JOURNAL, 0, log))
    with pytest.raises(CommandError, match=r"systemctl restart a[.]service ended with status 1") as caught:
        _units.restart(client, "a.service")
    assert caught.value.tail == tail
