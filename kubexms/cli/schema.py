# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms schema``: the format of cluster.yaml for editors, and as a page for people."""

import json
from typing import Annotated

import typer


def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """Print the JSON Schema of cluster.yaml."""
    if markdown:
        from kubexms.cluster.reference import markdown as page

        print(page(), end="")
    else:
        from kubexms.cluster.schema import json_schema

        print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
