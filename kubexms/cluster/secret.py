# SPDX-License-Identifier: GPL-3.0-or-later
"""References to secrets. A secret's value never stands in cluster.yaml."""

from typing import Annotated

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import FilePath, VariableName


class SecretRef(Section):
    """Where a secret is found when it is needed; exactly one of the keys is set."""

    env: VariableName | None = None
    """Environment variable of the controller that holds the secret."""
    file: FilePath | None = None
    """File on the controller that holds the secret; relative to the directory of cluster.yaml."""
    vault: Annotated[str, Field(max_length=1024, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/#-]*$")] | None = None
    """Path of the secret in a vault, such as secret/registry#password."""
