# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every section of cluster.yaml."""

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


def to_alias(name: str) -> str:
    """Return the key in the file for a Python attribute: ``pod_cidr`` is ``podCIDR``."""
    first, *rest = name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


_INITIALISMS = {"cidr": "CIDR", "oom": "OOM", "sans": "SANs", "url": "URL"}


class Section(BaseModel):
    """A mapping of cluster.yaml: frozen, no unknown keys, no silent conversion between types.

    Validation takes JSON input, in which strict means: lists and texts become tuples and nothing else
    is converted. Attributes are snake_case, keys in the file camelCase.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_alias,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


def refused(message: str, hint: str) -> PydanticCustomError:
    """Return the error by which a validator of a model says what is wrong and what is allowed."""
    return PydanticCustomError("refused", "{message}; {hint}", {"message": message, "hint": hint})
