# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an address. Pure text, no name is resolved."""

import re
from ipaddress import AddressValueError, IPv4Address

_NUMERIC = re.compile(r"[0-9.]+")
_ALLOWED = "an IPv4 address that other hosts reach, such as 192.168.10.11"


def ipv4(text: str) -> IPv4Address | None:
    """Return the IPv4 address that a text is, or None for a name and everything else."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def fault(text: str) -> tuple[str, str] | None:
    """Return what is wrong with an address or DNS name, and what is allowed; None when nothing is."""
    if ":" in text:
        return "not supported yet: IPv6", "supported: IPv4"
    address = ipv4(text)
    if address is None:
        if _NUMERIC.fullmatch(text):
            return "is not an IPv4 address", _ALLOWED
        return ("is a loopback name", _ALLOWED) if f".{text}".endswith(".localhost") else None
    if address.is_loopback:
        return "is a loopback address", _ALLOWED
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        return "is not the address of a host", _ALLOWED
    return None
