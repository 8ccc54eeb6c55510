# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback plugin (callback/kubexms_events.py) says, one JSON object a line. Pure."""

import json
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({"play", "task", "start", "ok", "failed", "end"})
BARRIERS = frozenset({"play", "end"})
_TYPES: dict[str, type | tuple[type, ...]] = {
    "kind": str,
    "stage": str,
    "task": str,
    "host": str,
    "changed": bool,
    "differences": list,
    "last": bool,
    "observation": dict,
    "error": dict,
    "all": bool,
}


class MessageInvalid(ValueError):
    """A line that the callback plugin cannot have sent."""


@dataclass(frozen=True)
class Message:
    """One report. Kinds: play (a stage begins), task, start, ok, failed, end (of the playbook).

    ``last`` says that nothing can follow for this host in its play, ``all`` that the failure is that
    of every host in the play (a task run once for all). Kinds in BARRIERS are waited for.
    """

    kind: str
    stage: str = ""
    task: str = ""
    host: str = ""
    changed: bool = False
    differences: list[dict[str, str]] = field(default_factory=list)
    last: bool = False
    observation: dict[str, Any] | None = None
    error: dict[str, Any] = field(default_factory=dict)
    all: bool = False


def parse(line: bytes) -> Message:
    """Return the message of a line. Raises MessageInvalid."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as cause:
        raise MessageInvalid(f"not JSON: {cause}") from cause
    if not isinstance(document, dict):
        raise MessageInvalid("not a message of the callback plugin")
    wrong = [name for name, value in document.items() if not isinstance(value, _TYPES.get(name, ()))]
    if wrong or document.get("kind") not in KINDS:
        raise MessageInvalid(f"unknown kind, or unknown or wrong fields: {', '.join(sorted(wrong))}")
    return Message(**document)


def failure(
    code: str, message: str, *, hint: str = "", tail: tuple[str, ...] = (), retriable: bool = False
) -> dict[str, Any]:
    """Return an error as events carry it."""
    return {"code": code, "message": message, "hint": hint, "tail": list(tail), "retriable": retriable}
