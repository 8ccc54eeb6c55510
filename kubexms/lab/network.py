# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: a /24 that nothing on this machine uses, and the link of each host."""

import ipaddress
import json
import socket
from collections.abc import Iterable
from pathlib import Path

from kubexms.context import Context
from kubexms.errors import Refused
from kubexms.lab.command import Commands, run

POOL = ipaddress.IPv4Network("10.77.0.0/16")
_PREFIX = 24
_IFF_UP = 1


def choose_subnet(used: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Return the first /24 of the pool that overlaps none of ``used``."""
    taken = tuple(used)
    for subnet in POOL.subnets(new_prefix=_PREFIX):
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise Refused(f"no free network is left in {POOL}", hint="remove labs: kubexms lab status, lab down")


def routed_subnets(ctx: Context, commands: Commands) -> list[ipaddress.IPv4Network]:
    """Return the networks that this machine has routes to, but for the default route."""
    routes = run(ctx, commands, ["ip", "-json", "-4", "route", "show", "table", "all"])
    return parse_routes(routes)


def parse_routes(text: str) -> list[ipaddress.IPv4Network]:
    """Read the output of ``ip -json -4 route show``: one element for each destination."""
    destinations = (route["dst"] for route in json.loads(text or "[]"))
    return [ipaddress.IPv4Network(dst, strict=False) for dst in destinations if dst != "default"]


def link_of(pid: int) -> str:
    """Return this machine's end of the cable of the host whose first process is ``pid``.

    Raises Refused when the host is just going down.
    """
    try:
        iflink = Path(f"/proc/{pid}/root/sys/class/net/eth0/iflink").read_text(encoding="ascii")
        return socket.if_indextoname(int(iflink))
    except OSError as cause:
        raise Refused(f"the network link of process {pid} is gone", hint="the host is not running") from cause


def link_is_up(link: str) -> bool:
    """Tell whether an interface is switched on (linux/if.h, IFF_UP)."""
    flags = Path(f"/sys/class/net/{link}/flags").read_text(encoding="ascii")
    return bool(int(flags, 16) & _IFF_UP)


def set_link_argv(link: str, *, up: bool) -> list[str]:
    """Return the argv that plugs the cable in or out."""
    return ["ip", "link", "set", "dev", link, "up" if up else "down"]
