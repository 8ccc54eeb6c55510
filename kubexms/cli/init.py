# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms init``: a commented cluster.yaml to start from."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from kubexms.errors import NotFound, Refused

TEMPLATE = "init.yaml"
"""File beside this module that is copied."""

Target = Annotated[Path, typer.Argument(metavar="[FILE]", help="The file to write.", show_default=True)]


def init(file: Target = Path("cluster.yaml")) -> None:
    """Write a commented cluster.yaml to start from. A file that exists is never overwritten."""
    text = files("kubexms.cli").joinpath(TEMPLATE).read_text(encoding="utf-8")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise Refused(f"{file} exists already", hint="name another file, or remove this one") from error
    except OSError as error:
        raise NotFound(f"{file} cannot be written: {error.strerror}", hint="name another file") from error
    print(f"{file} is written: put in your hosts, then run `kubexms validate {file}`")
