# SPDX-License-Identifier: GPL-3.0-or-later
import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.lab.network import (
    POOL,
    choose_subnet,
    link_is_up,
    link_of,
    parse_routes,
    routed_subnets,
    set_link_argv,
)

Net = ipaddress.IPv4Network

# Recorded from iproute2 6.1, ip -json -4 route show table all
ROUTES = (
    '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},'
    '{"dst":"10.77.0.0/24","dev":"podman1","protocol":"kernel","scope":"link","prefsrc":"10.77.0.1","flags":[]},'
    '{"type":"local","dst":"192.0.2.2","dev":"eth0","table":"local","protocol":"kernel","flags":[]}]'
)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ([], "10.77.0.0/24"),
        (["10.88.0.0/16", "192.0.2.2/32"], "10.77.0.0/24"),
        (["10.77.0.0/24", "10.77.2.0/24"], "10.77.1.0/24"),
        (["10.77.0.128/25"], "10.77.1.0/24"),
        (["10.77.0.0/18"], "10.77.64.0/24"),
    ],
)
def test_the_first_free_subnet_is_chosen(used: list[str], expected: str) -> None:
    assert choose_subnet([Net(subnet) for subnet in used]) == Net(expected)


@pytest.mark.parametrize("used", ["10.77.0.0/16", "10.0.0.0/8", "0.0.0.0/0"])
def test_a_full_pool_is_refused(used: str) -> None:
    with pytest.raises(Refused, match="no free network"):
        choose_subnet([Net(used)])


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(20, 32)), max_size=20))
def test_a_chosen_subnet_overlaps_nothing(used: list[tuple[int, int]]) -> None:
    networks = [Net((int(POOL.network_address) + offset, prefix), strict=False) for offset, prefix in used]
    chosen = choose_subnet(networks)
    assert chosen.subnet_of(POOL)
    assert not any(chosen.overlaps(network) for network in networks)


def test_routes_are_read_without_the_default_route() -> None:
    assert parse_routes(ROUTES) == [Net("10.77.0.0/24"), Net("192.0.2.2/32")]
    assert parse_routes("") == []


def test_routes_of_all_tables_are_asked_for(ctx: Context, table: Any) -> None:
    table.answer("ip -json", ROUTES)
    assert routed_subnets(ctx, table) == [Net("10.77.0.0/24"), Net("192.0.2.2/32")]
    assert table.calls == [["ip", "-json", "-4", "route", "show", "table", "all"]]


def test_a_link_is_switched_by_ip() -> None:
    assert set_link_argv("veth0", up=False) == ["ip", "link", "set", "dev", "veth0", "down"]
    assert set_link_argv("veth0", up=True) == ["ip", "link", "set", "dev", "veth0", "up"]


def test_a_process_that_is_gone_has_no_link() -> None:
    with pytest.raises(Refused, match="gone"):
        link_of(2**22 + 1)


def test_the_state_of_a_link_is_read() -> None:
    assert link_is_up("lo")
