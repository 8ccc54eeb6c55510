# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import NotSupported, Refused
from kubexms.lab import tools
from kubexms.lab.tools import PACKAGES, missing_packages, require_tools


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has every program, all in one directory."""
    for program in (*PACKAGES, "apt-get"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_DIRECTORIES", ())
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    return tmp_path


def test_a_complete_machine_needs_nothing(ctx: Context, table: Any) -> None:
    require_tools(ctx, table, print)
    assert table.calls == []


def test_a_missing_program_is_named_with_the_command_that_installs_it(
    ctx: Context, table: Any, programs: Path
) -> None:
    for program in ("mmdebstrap", "ssh", "ssh-keygen"):
        (programs / program).unlink()
    assert missing_packages() == ["mmdebstrap", "openssh-client"]
    with pytest.raises(NotSupported, match="mmdebstrap, openssh-client") as caught:
        require_tools(ctx, table, print)
    command = "apt-get install --yes --no-install-recommends mmdebstrap openssh-client"
    assert caught.value.hint == f"run: {command}, or add --install"
    assert table.calls == []


def test_install_does_that(ctx: Context, table: Any, programs: Path) -> None:
    (programs / "runc").unlink()
    lines: list[str] = []
    require_tools(ctx, table, lines.append, install=True)
    assert lines == ["installing runc"]
    install = "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends runc"
    assert [" ".join(call) for call in table.calls] == ["apt-get update --quiet", install]


def test_install_needs_apt(ctx: Context, table: Any, programs: Path) -> None:
    (programs / "runc").unlink()
    (programs / "apt-get").unlink()
    with pytest.raises(NotSupported, match="Debian only"):
        require_tools(ctx, table, print, install=True)


def test_only_root_may_make_a_lab(ctx: Context, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="needs root"):
        require_tools(ctx, table, print)
