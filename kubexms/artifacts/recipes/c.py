# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of one C file that lies in a Go module."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from kubexms.artifacts.model import Architecture
from kubexms.artifacts.process import Command, require_program, run
from kubexms.artifacts.recipes import Job
from kubexms.context import Context

_COMPILERS: dict[Architecture, str] = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}


class CRecipe(BaseModel):
    """The module that has the file, the file's path in it, and the compiler's arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    source: str
    arguments: tuple[str, ...] = ()


def build(ctx: Context, job: Job) -> str:
    """Compile the job's one program from the locked module's source."""
    require_program("go", "install Go; it fetches the source")
    compiler = _COMPILERS[job.arch]
    require_program(compiler, "install the package gcc, or gcc-aarch64-linux-gnu for arm64")
    recipe = job.recipe(CRecipe)
    download = Command(
        ("go", "mod", "download", "-json", recipe.module),
        job.folder,
        {"GOFLAGS": "-mod=readonly", "GOWORK": "off"},
    )
    answer = json.loads(run(ctx, download, f"fetch the source of {recipe.module}", job.progress))
    source = Path(answer["Dir"]) / recipe.source
    argv = (compiler, *recipe.arguments, "-o", str(job.target(job.items[0])), str(source))
    run(ctx, Command(argv), job.what, job.progress)
    return compiler
