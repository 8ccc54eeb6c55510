# SPDX-License-Identifier: GPL-3.0-or-later
"""References to secrets. A secret's value never stands in cluster.yaml."""

from typing import Self

from pydantic import model_validator

from kubexms.cluster.base import Section, refused
from kubexms.cluster.types import FilePath, VariableName, VaultPath


class SecretRef(Section):
    """Where a secret is found when it is needed; exactly one of the keys is set."""

    env: VariableName | None = None
    """Environment variable of the controller that holds the secret."""
    file: FilePath | None = None
    """File on the controller that holds the secret; relative to the directory of cluster.yaml."""
    vault: VaultPath | None = None
    """Path of the secret in a vault, such as secret/registry#password."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.env, self.file, self.vault)) != 1:
            raise refused("does not name exactly one place", "one of env, file, vault")
        return self
