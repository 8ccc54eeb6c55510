# SPDX-License-Identifier: GPL-3.0-or-later
"""The outermost door: usage, interruption, and bugs of ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kubexms import __version__
from tests.unit.cli.conftest import FakeClient

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nonsense"], "nonsense"),
        (["plan"], "FILE"),
        (["plan", "c.yaml", "--nonsense"], "--nonsense"),
        (["runs", "list", "--limit", "0"], "--limit"),
        (["plan", "c.yaml", "--output", "xml"], "xml"),
    ],
)
def test_wrong_usage_is_invalid_input(kubexms: Call, arguments: list[str], text: str) -> None:
    code, out, err = kubexms(*arguments)
    assert (code, out) == (3, "")
    assert text in err
    assert "--help" in err


def test_version_and_help(kubexms: Call) -> None:
    assert kubexms("--version") == (0, f"{__version__}\n", "")
    code, out, _ = kubexms("--help")
    assert code == 0
    assert "deploy" in out


def test_a_bug_is_a_report_and_no_traceback(
    client: FakeClient, kubexms: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    client.error = ZeroDivisionError("a bug")  # type: ignore[assignment]
    code, _, err = kubexms("plan", "c.yaml")
    assert code == 1
    assert "a fault of kubexms itself: ZeroDivisionError: a bug" in err
    assert "Traceback" not in err
    (kept,) = tmp_path.iterdir()
    assert "Traceback" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_ctrl_c_before_a_run_ends_quietly(client: FakeClient, kubexms: Call) -> None:
    client.error = KeyboardInterrupt()  # type: ignore[assignment]
    assert kubexms("plan", "c.yaml")[0] == 130
