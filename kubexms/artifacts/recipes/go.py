# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs built from Go modules.

The recipe's go.mod names the programs as tools and go.sum locks every module they need. With a named
toolchain, ``-trimpath`` and no version control data, a build without C comes out the same on every
machine; where that toolchain is not installed, Go fetches it as a module, checked by its checksum
database.
"""

import platform

from pydantic import BaseModel, ConfigDict

from kubexms.artifacts.model import Architecture
from kubexms.artifacts.process import Command, require_program, run
from kubexms.artifacts.recipes import Job
from kubexms.context import Context
from kubexms.errors import NotSupported

_MACHINES: dict[str, Architecture] = {"x86_64": "amd64", "aarch64": "arm64"}


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Program(_Data):
    """A main package; ``binary`` is what go(1) calls it where that is not the file's name."""

    package: str
    binary: str = ""


class GoRecipe(_Data):
    """How the programs of one component are built; ``cgo`` lists the architectures that need C."""

    toolchain: str
    files: dict[str, Program]
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: tuple[Architecture, ...] = ()


def build(ctx: Context, job: Job) -> str:
    """Build the job's programs in one go command, which uses all cores."""
    require_program("go", "install Go 1.21 or newer; it fetches the version it needs")
    recipe = job.recipe(GoRecipe)
    for item in job.items:
        if item.file not in recipe.files:
            raise NotSupported(f"the recipe of {item.component} {item.version} does not build {item.file}")
    programs = {item: recipe.files[item.file] for item in job.items}
    run(ctx, command(job, recipe, [one.package for one in programs.values()]), job.what, job.progress)
    for item, program in programs.items():
        if program.binary:
            (job.scratch / program.binary).rename(job.target(item))
    return recipe.toolchain


def command(job: Job, recipe: GoRecipe, packages: list[str]) -> Command:
    """Return the go command that builds ``packages`` into the job's scratch folder."""
    cgo = job.arch in recipe.cgo
    if cgo and _MACHINES.get(platform.machine()) != job.arch:
        raise NotSupported(f"{job.what} needs a C compiler for {job.arch}; build it on such a machine")
    ldflags = ["-s", "-w", *(['-extldflags "-static"'] if cgo else []), *recipe.ldflags]
    argv = (
        "go",
        "build",
        "-v",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        f"-tags={','.join(recipe.tags)}",
        f"-ldflags={' '.join(ldflags)}",
        "-o",
        f"{job.scratch}/",
        *packages,
    )
    environment = {
        "CGO_ENABLED": "1" if cgo else "0",
        "GOARCH": job.arch,
        "GOOS": "linux",
        "GOFLAGS": "",
        "GOTOOLCHAIN": recipe.toolchain,
        "GOWORK": "off",
    }
    return Command(argv, job.folder, environment, counts="packages")
