# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds with stand-ins for go, gcc and mmdebstrap: what they are asked, and what becomes of their files."""

import io
import json
import os
import platform
import tarfile
from pathlib import Path

import pytest

from kubexms.artifacts import catalogue
from kubexms.artifacts.model import Architecture, Item
from kubexms.artifacts.progress import Silent
from kubexms.artifacts.recipes import RECIPES, Job, go
from kubexms.artifacts.recipes.debian import BaseRecipe, prune
from kubexms.artifacts.recipes.go import GoRecipe, Program
from kubexms.artifacts.sources import Desk, Wanted
from kubexms.artifacts.sources.build import BuildSource
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, DigestMismatch, NotSupported
from tests.unit.artifacts.helpers import VERSION, digest, tar_of

SELECTION = catalogue.load().select(VERSION)
GO = """#!/bin/sh
if [ "$1" = mod ]; then printf '{"Dir": "%s"}' "$SOURCE"; exit; fi
echo "$GOTOOLCHAIN $CGO_ENABLED $GOARCH $PWD $*" > "$RECORD"
while [ "$1" != -o ]; do shift; done
for package in "$@"; do name=${package##*/}; [ "$name" = v3 ] && name=${package%/v3} name=${name##*/}
case $package in *.*) echo "$package" > "$2/$name";; esac; done
"""
GCC = """#!/bin/sh
echo "$*" > "$RECORD"
while [ "$1" != -o ]; do shift; done
echo built > "$2"
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put stand-ins before everything else in PATH; return what records their arguments."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, text in {"go": GO, "x86_64-linux-gnu-gcc": GCC}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("SOURCE", str(tmp_path / "source"))
    return tmp_path / "record"


def wanted(*names: str, arch: Architecture = "amd64") -> list[Wanted]:
    pairs = [name.split("/") for name in names]
    return [Wanted(SELECTION.item(component, file, arch)) for component, file in pairs]


def test_programs_of_a_component_are_built_in_one_go(ctx: Context, desk: Desk, tools: Path) -> None:
    ones = wanted("etcd/etcd", "etcd/etcdctl", arch="arm64")
    outcome = BuildSource(SELECTION).fetch(ctx, ones, desk)
    asked = tools.read_text().split()
    assert asked[:4] == ["go1.26.8", "0", "arm64", str(RECIPES / "etcd" / "v3.6.16")]
    assert "-trimpath" in asked
    assert "-mod=readonly" in asked
    assert asked[-2:] == ["go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/etcdctl/v3"]
    entry = outcome.found[ones[0].item]
    assert entry.source == "build (go1.26.8)"
    assert desk.cache.path(entry.sha256).read_text() == "go.etcd.io/etcd/server/v3\n"
    assert not outcome.missing
    assert not list(desk.cache.partial.iterdir())


def test_a_build_unlike_the_pinned_one_is_an_error(ctx: Context, desk: Desk, tools: Path) -> None:
    (one,) = wanted("etcd/etcdctl")
    with pytest.raises(DigestMismatch) as raised:
        BuildSource(SELECTION).fetch(ctx, [Wanted(one.item, digest(b"pinned"))], desk)
    assert raised.value.source == "build (go1.26.8)"
    assert "copy the cache that has it" in raised.value.hint
    assert not desk.cache.blobs.exists()


def test_pause_is_compiled_from_the_module(ctx: Context, desk: Desk, tools: Path, tmp_path: Path) -> None:
    outcome = BuildSource(SELECTION).fetch(ctx, wanted("pause/pause"), desk)
    assert len(outcome.found) == 1
    asked = tools.read_text().split()
    assert {"-static", "-DVERSION=v3.10.2"} <= set(asked)
    assert asked[-1] == str(tmp_path / "source" / "build/pause/linux/pause.c")


@pytest.mark.parametrize(
    ("name", "program"), [("etcd/etcd", "go"), ("pause/pause", "go"), ("image-base/rootfs.tar", "mmdebstrap")]
)
def test_without_tools_the_file_is_missing_with_the_reason(
    ctx: Context, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, program: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ones = wanted(name)
    outcome = BuildSource(SELECTION).fetch(ctx, ones, desk)
    assert f"{program} is not installed" in outcome.missing[ones[0].item]


def test_a_failed_build_is_a_reason_and_others_go_on(ctx: Context, desk: Desk, tools: Path) -> None:
    broken = tools.parent / "tools" / "x86_64-linux-gnu-gcc"
    broken.write_text("#!/bin/sh\necho no such header >&2\nexit 1\n")
    ones = wanted("pause/pause", "etcd/etcdctl")
    outcome = BuildSource(SELECTION).fetch(ctx, ones, desk)
    assert "no such header" in outcome.missing[ones[0].item]
    assert ones[1].item in outcome.found


def test_a_version_without_a_recipe_is_missing(ctx: Context, desk: Desk, tmp_path: Path) -> None:
    ones = wanted("etcd/etcd")
    outcome = BuildSource(SELECTION, tmp_path).fetch(ctx, ones, desk)
    assert outcome.missing == {ones[0].item: "there is no recipe for etcd v3.6.16"}


def job(tmp_path: Path, arch: Architecture, file: str = "flanneld") -> Job:
    return Job((Item("flannel", "v0.28.10", arch, file),), RECIPES / "flannel/v0.28.10", tmp_path, Silent())


def test_c_in_a_go_program_is_linked_statically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = GoRecipe(
        toolchain="go1", files={"flanneld": Program(package="p")}, cgo=("amd64",), tags=("a", "b")
    )
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    command = go.command(job(tmp_path, "amd64"), recipe, ["p"])
    assert command.environment["CGO_ENABLED"] == "1"
    assert '-ldflags=-s -w -extldflags "-static"' in command.argv
    assert "-tags=a,b" in command.argv
    assert go.command(job(tmp_path, "arm64"), recipe, ["p"]).environment["CGO_ENABLED"] == "0"


def test_c_for_another_architecture_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = GoRecipe(toolchain="go1", files={"flanneld": Program(package="p")}, cgo=("amd64",))
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(NotSupported, match="needs a C compiler for amd64"):
        go.command(job(tmp_path, "amd64"), recipe, ["p"])


@pytest.mark.usefixtures("tools")
def test_a_file_that_the_recipe_does_not_build_is_named(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="does not build other"):
        go.build(ctx, job(tmp_path, "arm64", "other"))


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {one.name: one for one in archive}


def pruned(source: bytes, recipe: BaseRecipe) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(source)) as archive:
        prune(archive, stream, recipe)
    return stream.getvalue()


RECIPE = BaseRecipe(
    suite="s",
    mirror="m",
    packages=(),
    omit=("usr/share", "etc/cron*"),
    folders={"tmp": "1777"},
    links={"busybox": ("bin/sh",)},
)


def test_the_base_is_pruned_and_completed() -> None:
    source = tar_of(
        {"./bin/busybox": b"b", "./usr/share/doc/x": b"d", "./etc/cron.d/y": b"c", "./usr/shared": b"s"}
    )
    found = members(pruned(source, RECIPE))
    assert set(found) == {"bin/busybox", "bin/sh", "tmp", "usr/shared"}
    assert (found["bin/sh"].linkname, found["tmp"].mode, found["tmp"].isdir()) == ("busybox", 0o1777, True)
    assert list(found) == sorted(found)


def test_the_base_does_not_depend_on_times_names_or_order() -> None:
    def tree(names: list[str], mtime: int) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.uname = 1, mtime, str(mtime)
                archive.addfile(info, io.BytesIO(b"x"))
        return stream.getvalue()

    assert pruned(tree(["./a", "./b"], 1), RECIPE) == pruned(tree(["./b", "./a"], 2), RECIPE)


@pytest.mark.parametrize("kept", [True, False])
def test_hard_links_need_what_they_link_to(*, kept: bool) -> None:
    stream = io.BytesIO()
    target = "./bin/a" if kept else "./usr/share/a"
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(target)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
        link = tarfile.TarInfo("./bin/b")
        link.type, link.linkname = tarfile.LNKTYPE, target
        archive.addfile(link)
    if kept:
        assert members(pruned(stream.getvalue(), RECIPE))["bin/b"].linkname == "bin/a"
    else:
        with pytest.raises(ArtifactFailed, match="hard link"):
            pruned(stream.getvalue(), RECIPE)


def test_the_base_is_made_by_mmdebstrap(ctx: Context, desk: Desk, tools: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.tar"
    made.write_bytes(tar_of({"./bin/busybox": b"b"}))
    program = tools.parent / "tools" / "mmdebstrap"
    program.write_text(f'#!/bin/sh\necho "$*" > "$RECORD"\ncp {made} "$6"\n')
    program.chmod(0o755)
    ones = wanted("image-base/rootfs.tar", arch="arm64")
    outcome = BuildSource(SELECTION).fetch(ctx, ones, desk)
    entry = outcome.found[ones[0].item]
    assert entry.source == "build (Debian bookworm packages)"
    assert "bin/sh" in members(desk.cache.path(entry.sha256).read_bytes())
    assert (
        "--variant=extract --format=tar --architectures=arm64 --include=iptables,nftables"
        in tools.read_text()
    )


def test_recipes_are_valid_json_of_nothing_machine_bound() -> None:
    for path in RECIPES.rglob("recipe.yaml"):
        text = json.dumps(catalogue.read_yaml(path.read_text()))
        assert "/root" not in text
        assert "/home" not in text
