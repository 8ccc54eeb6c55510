# SPDX-License-Identifier: GPL-3.0-or-later
"""The last net under the log: what looks like a secret does not get through. Pure.

Secrets have no business in a log call in the first place; this catches the text of foreign programs.
"""

import re
from collections.abc import Mapping

HIDDEN = "[hidden]"

_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|token|(private|certificate|encryption)_?key|authorization|credential",
    re.IGNORECASE,
)

_TEXT = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    # https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-format
    re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"),
    re.compile(r"(?<=bearer )\S+|(?<=authorization: basic )\S+", re.IGNORECASE),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?<=--certificate-key[ =])\S+|(?<=--token[ =])\S+"),
)


def redact(value: object, name: str = "") -> object:
    """Return the value without what looks like a secret, by its name or in its text."""
    if name and _NAME.search(name) and value:
        return HIDDEN
    match value:
        case str():
            return _redact_text(value)
        case Mapping():
            return {key: redact(item, str(key)) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return _redact_text(str(value))


def _redact_text(text: str) -> str:
    """Return the text with every known form of a secret hidden."""
    for pattern in _TEXT:
        text = pattern.sub(HIDDEN, text)
    return text
