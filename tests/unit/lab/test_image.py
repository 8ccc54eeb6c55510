# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.errors import CommandFailed
from kubexms.lab import image
from kubexms.lab.command import Report
from kubexms.lab.image import bootstrap_argv, ensure_image, image_name, recipe_digest


class Machine:
    """The table, with an mmdebstrap that writes its target."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def follow(self, ctx: Context, argv: list[str], report: Report) -> None:
        Path(argv[-1]).write_bytes(b"root file system")
        self.table.follow(ctx, argv, report)


@pytest.fixture
def machine(table: Any) -> Machine:
    return Machine(table)


def test_the_digest_follows_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = recipe_digest()
    assert first == recipe_digest()
    other = tmp_path / "lab-init"
    other.write_text("#!/bin/sh\n")
    monkeypatch.setattr(image, "INIT", other)
    assert recipe_digest() != first
    assert image_name(first) == f"localhost/kubexms-lab:{first[:16]}"


def test_bootstrap(tmp_path: Path) -> None:
    argv = bootstrap_argv(tmp_path / "x.tar")
    assert argv[:2] == ["mmdebstrap", "--variant=minbase"]
    packages = argv[2].removeprefix("--include=").split(",")
    assert {"systemd", "openssh-server", "python3-apt", "runc"} <= set(packages)
    assert argv[3] == f"--customize-hook=copy-in {image.INIT} /sbin"
    assert argv[4:] == ["bookworm", str(tmp_path / "x.tar")]


def test_the_init_program_is_in_the_package_and_can_be_run() -> None:
    assert image.INIT.read_text().startswith("#!/bin/sh\n")
    assert image.INIT.stat().st_mode & 0o111 == 0o111


def test_an_image_that_is_there_is_taken(ctx: Context, machine: Machine, tmp_path: Path) -> None:
    name = ensure_image(ctx, machine, tmp_path, lambda line: None)
    assert name == image_name(recipe_digest())
    assert machine.verbs() == [f"podman image exists {name}"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_image_is_made_imported_and_replaces_older_ones(
    ctx: Context, machine: Machine, tmp_path: Path
) -> None:
    name = image_name(recipe_digest())
    machine.answer("image exists", status=1)
    machine.answer("mmdebstrap", "I: running apt-get update...\nnoise\n")
    machine.answer("images --format", f"{name}\nlocalhost/kubexms-lab:old\n")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "old.tar").touch()
    (tmp_path / "lab" / "other.1.partial.tar").touch()
    lines: list[str] = []
    assert ensure_image(ctx, machine, tmp_path, lines.append) == name
    archive = tmp_path / "lab" / f"{recipe_digest()}.tar"
    assert sorted((tmp_path / "lab").iterdir()) == sorted([archive, tmp_path / "lab" / "other.1.partial.tar"])
    assert machine.verbs()[2:] == [
        f"podman import {archive} {name}",
        "podman images localhost/kubexms-lab",
        "podman rmi localhost/kubexms-lab:old",
    ]
    assert "  running apt-get update..." in lines
    assert "noise" not in "".join(lines)


def test_a_cached_archive_is_imported_without_a_build(ctx: Context, machine: Machine, tmp_path: Path) -> None:
    machine.answer("image exists", status=1)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / f"{recipe_digest()}.tar").touch()
    ensure_image(ctx, machine, tmp_path, lambda line: None)
    assert not any(call[0] == "mmdebstrap" for call in machine.calls)
    assert any("import" in call for call in machine.calls)


def test_a_failed_build_leaves_nothing(ctx: Context, machine: Machine, tmp_path: Path) -> None:
    machine.answer("image exists", status=1)
    machine.answer("mmdebstrap", "E: no network", status=25)
    with pytest.raises(CommandFailed, match="no network"):
        ensure_image(ctx, machine, tmp_path, lambda line: None)
    assert list((tmp_path / "lab").iterdir()) == []
