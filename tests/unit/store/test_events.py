# SPDX-License-Identifier: GPL-3.0-or-later
"""Events are read by number, filtered, and in pages."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.store.records import Event, Run
from kubexms.store.store import Store


@pytest.fixture
def stored(ctx: Context, store: Store, run: Run, make_event: Callable[..., Event]) -> list[Event]:
    """Twelve events: three kinds, two stages, two hosts in turn."""
    kinds = ("step.started", "task.started", "step.done")
    events = [
        make_event(seq, kinds[seq % 3], ("host", "files")[seq // 6 % 2], f"n{seq % 2}")
        for seq in range(1, 13)
    ]
    store.ingest(ctx, run.id, events, 1)
    return events


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, range(1, 13)),
        ({"after": 9}, [10, 11, 12]),
        ({"after": 12}, []),
        ({"limit": 2}, [1, 2]),
        ({"after": 3, "limit": 2}, [4, 5]),
        ({"hosts": ["n1"]}, [1, 3, 5, 7, 9, 11]),
        ({"stages": ["files"]}, [6, 7, 8, 9, 10, 11]),
        ({"kinds": ["step.done", "task.started"]}, [1, 2, 4, 5, 7, 8, 10, 11]),
        ({"kinds": ["step.started"], "hosts": ["n1"], "stages": ["host"], "after": 1}, [3]),
        ({"hosts": ["n0", "n1"], "limit": 1, "after": 5}, [6]),
        ({"hosts": ["nobody"]}, []),
    ],
    ids=str,
)
def test_events_are_chosen(
    ctx: Context,
    store: Store,
    run: Run,
    stored: list[Event],
    filters: Mapping[str, Any],
    expected: list[int],
) -> None:
    found = store.events.list(ctx, run.id, **filters)
    assert found == tuple(stored[seq - 1] for seq in expected)


def test_pages_give_every_event_once(ctx: Context, store: Store, run: Run, stored: list[Event]) -> None:
    seen: list[Event] = []
    while page := store.events.list(ctx, run.id, after=seen[-1].seq if seen else 0, limit=5):
        seen += page
    assert seen == stored


def test_the_last_event(ctx: Context, store: Store, run: Run, stored: list[Event]) -> None:
    assert store.events.last(ctx, run.id) == stored[-1]
    assert store.events.last(ctx, "other") is None
    assert store.events.list(ctx, "other") == ()
