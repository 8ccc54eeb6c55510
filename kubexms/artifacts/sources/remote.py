# SPDX-License-Identifier: GPL-3.0-or-later
"""What mirrors and publishers have in common: several files at once, one try per unreachable server."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

from kubexms.artifacts.cache import Entry
from kubexms.artifacts.model import Item
from kubexms.artifacts.sources import Outcome
from kubexms.errors import ConnectionFailed, NotFound

_AT_ONCE = 4

_Task = TypeVar("_Task")


def fetch_each(
    tasks: Sequence[_Task],
    url: Callable[[_Task], str],
    items: Callable[[_Task], Sequence[Item]],
    fetch: Callable[[_Task], dict[Item, Entry]],
) -> Outcome:
    """Fetch every task; what is not there, or behind a server that cannot be reached, is missing.

    A server that one task could not reach is not asked for the next.
    """
    outcome = Outcome()
    unreachable: dict[str, str] = {}

    def one(task: _Task) -> dict[Item, Entry] | str:
        server = urlsplit(url(task)).netloc
        if server in unreachable:
            return unreachable[server]
        try:
            return fetch(task)
        except NotFound as cause:
            return cause.message
        except ConnectionFailed as cause:
            unreachable[server] = cause.message
            return cause.message

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for task, result in zip(tasks, pool.map(one, tasks), strict=True):
            found = result if isinstance(result, dict) else {}
            outcome.found |= found
            reason = "not in the archive" if isinstance(result, dict) else result
            outcome.missing |= {item: reason for item in items(task) if item not in found}
    return outcome
