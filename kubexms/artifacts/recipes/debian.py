# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian base layer below kube-proxy and flannel: unpacked packages, pruned to what runs."""

import tarfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import IO

from pydantic import BaseModel, ConfigDict

from kubexms.artifacts.process import Command, require_program, run
from kubexms.artifacts.recipes import Job
from kubexms.context import Context
from kubexms.errors import ArtifactFailed


class BaseRecipe(BaseModel):
    """A package set and how its tree is pruned; see the recipe's own comments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    mirror: str
    packages: tuple[str, ...]
    omit: tuple[str, ...] = ()
    folders: Mapping[str, str] = {}
    links: Mapping[str, tuple[str, ...]] = {}


def build(ctx: Context, job: Job) -> str:
    """Make the base layer's tar from Debian packages.

    Needs mmdebstrap and, for it, root or user namespaces. The same packages give the same bytes.
    """
    require_program("mmdebstrap", "Debian and Ubuntu have it as a package")
    recipe = job.recipe(BaseRecipe)
    unpacked = job.scratch / "unpacked.tar"
    argv = (
        "mmdebstrap",
        "--variant=extract",
        "--format=tar",
        f"--architectures={job.arch}",
        f"--include={','.join(recipe.packages)}",
        recipe.suite,
        str(unpacked),
        recipe.mirror,
    )
    run(ctx, Command(argv), job.what, job.progress)
    with tarfile.open(unpacked) as source, job.target(job.items[0]).open("wb") as stream:
        prune(source, stream, recipe)
    return f"Debian {recipe.suite} packages"


def prune(source: tarfile.TarFile, stream: IO[bytes], recipe: BaseRecipe) -> None:
    """Write the layer: what stays of ``source``, the recipe's folders and links; sorted, without times."""
    members = {_name(member): member for member in source if _stays(_name(member), recipe.omit)}
    contents = dict(members)
    for folder, mode in recipe.folders.items():
        members[folder] = _made(folder, tarfile.DIRTYPE, int(mode, 8))
    for target, links in recipe.links.items():
        members |= {link: _made(link, tarfile.SYMTYPE, 0o777, target) for link in links}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as result:
        for name in sorted(members):
            member = members[name]
            regular = member.isreg() and contents.get(name) is member
            _check_link(name, member, members)
            result.addfile(_plain(name, member), source.extractfile(member) if regular else None)


def _name(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/")


def _stays(name: str, omit: Sequence[str]) -> bool:
    return name not in {"", "."} and not any(
        fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*") for pattern in omit
    )


def _made(name: str, kind: bytes, mode: int, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname = kind, mode, target
    return info


def _plain(name: str, member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a header with what a layer needs: type, mode, size and link; no times, no owner names."""
    info = _made(name, member.type, member.mode, member.linkname)
    info.size, info.uid, info.gid = member.size, member.uid, member.gid
    if member.islnk():
        info.linkname = member.linkname.removeprefix("./")
    return info


def _check_link(name: str, member: tarfile.TarInfo, members: Mapping[str, tarfile.TarInfo]) -> None:
    if member.islnk() and member.linkname.removeprefix("./") not in members:
        raise ArtifactFailed(f"the base layer's {name} is a hard link to {member.linkname}, which is omitted")
