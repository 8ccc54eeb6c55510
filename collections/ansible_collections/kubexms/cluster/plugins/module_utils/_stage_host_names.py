# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's name, and the names of others in a marked block of /etc/hosts."""

from __future__ import annotations

import socket

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, remove, write_text

HOSTNAME = "/etc/hostname"
HOSTS = "/etc/hosts"
_BEGIN = "# BEGIN kubexms"
_END = "# END kubexms"


def with_block(text, lines):
    """Return the text of a hosts file with our block holding ``lines``; without one when there are none."""
    kept = _outside(text.splitlines())
    block = [_BEGIN, *lines, _END] if lines else []
    result = [*kept, *block]
    return "\n".join(result) + "\n" if result else ""


def _outside(lines):
    kept, inside = [], False
    for line in lines:
        if line == _BEGIN:
            inside = True
        elif line == _END:
            inside = False
        elif not inside:
            kept.append(line)
    return kept


def _hosts_text(params):
    entries = params["hosts"]
    lines = ["{0} {1}".format(entry["address"], " ".join(entry["names"])) for entry in entries]
    lines = list(dict.fromkeys(lines))
    found = read_text(HOSTS) or ""
    if not lines and _BEGIN not in found:
        return found
    return with_block(found, lines)


def compare(client, params, differences):  # noqa: ARG001 - every part has this signature
    """Record a host name, kept or in force, and a hosts file that differ."""
    name = params["hostname"]
    if name:
        differences.compare("hostname", socket.gethostname(), name)
        differences.compare(HOSTNAME, (read_text(HOSTNAME) or "").strip(), name)
    found, wanted = (read_text(HOSTS) or ""), _hosts_text(params)
    if found != wanted:
        differences.add(HOSTS, _block(found), _block(wanted))


def _block(text):
    lines = text.splitlines()
    outside = _outside(lines)
    return ", ".join(line for line in lines if line not in outside and line not in (_BEGIN, _END))


def note(params, differences, record):  # noqa: ARG001
    """Keep the host's name."""
    if differences.has("hostname") or differences.has(HOSTNAME):
        record.remember("host", "hostname", {"live": socket.gethostname(), "file": read_text(HOSTNAME)})


def apply(client, params, differences, record):  # noqa: ARG001
    """Set the name and write the block."""
    if differences.has("hostname") or differences.has(HOSTNAME):
        _set_hostname(client, params["hostname"])
    if differences.has(HOSTS):
        write_text(HOSTS, _hosts_text(params))


def _set_hostname(client, name):
    """Set the name; hostnamectl also tells the services that want to know."""
    if client.which("hostnamectl"):
        client.run(["hostnamectl", "set-hostname", name])
        return
    write_text(HOSTNAME, name + "\n")
    client.run(["hostname", name])


def revert(client, record):
    """Give the host its name back and take the block out."""
    prior = record.prior("host").get("hostname")
    if prior:
        _set_hostname(client, prior["live"])
        if prior["file"] is None:
            remove(HOSTNAME)
        else:
            write_text(HOSTNAME, prior["file"])
    found = read_text(HOSTS) or ""
    if _BEGIN in found:
        write_text(HOSTS, with_block(found, []))
