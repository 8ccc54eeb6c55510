# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures as they lie in JSON columns and in the data of events."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from kubexms.store.records import Failure

_FIELDS = frozenset(field.name for field in fields(Failure))


def failure_from(document: object) -> Failure | None:
    """Return the failure in a JSON value, None where there is none. Unknown keys are left out."""
    if not document:
        return None
    if not isinstance(document, Mapping):
        return Failure(code="unknown", message=str(document))
    known: dict[str, Any] = {name: value for name, value in document.items() if name in _FIELDS}
    return Failure(**{"code": "unknown", "message": "", **known, "tail": tuple(known.get("tail") or ())})


def failure_document(failure: Failure | None) -> dict[str, Any] | None:
    """Return what is stored for a failure."""
    return None if failure is None else asdict(failure)
