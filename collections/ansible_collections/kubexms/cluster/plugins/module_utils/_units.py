# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd units: state by ``systemctl show``, a pure parser, and the few verbs that change them."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,ActiveEnterTimestampMonotonic,NRestarts,MainPID"
)


def parse_show(text):
    """Return the properties of one unit from the output of ``systemctl show`` (KEY=VALUE lines)."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def unit_state(client, unit):
    """Return a unit's properties by name; ``ActiveState`` is ``inactive`` for a unit that is not there."""
    return parse_show(client.run(["systemctl", "show", unit, "--property=" + _PROPERTIES]).stdout)


def compare_unit(client, differences, unit, enabled=True, active=True):
    """Record where a unit is not enabled or active as wanted, and return its properties.

    None means that either is fine.
    """
    state = unit_state(client, unit)
    if enabled is not None:
        found = state.get("UnitFileState") == "enabled"
        differences.compare(unit + " enabled", found, enabled)
    if active is not None:
        found = state.get("ActiveState") == "active"
        differences.compare(unit + " active", found, active)
    return state


def daemon_reload(client):
    """Make systemd read its unit files anew."""
    client.run(["systemctl", "daemon-reload"])


def enable(client, unit):
    """Have a unit start at boot."""
    client.run(["systemctl", "enable", unit])


def restart(client, unit, seconds=120):
    """Restart a unit and wait until systemd calls it started; raises with its last log lines."""
    result = client.run(["systemctl", "restart", unit], check=False, seconds=seconds)
    if result.status != 0:
        raise_with_journal(client, unit, result)


def raise_with_journal(client, unit, result):
    """Raise CommandError for a unit that did not start, with the end of its journal as the tail."""
    lines = journal(client, unit)
    raise CommandError(
        ["systemctl", "restart", unit],
        result.status,
        "",
        "\n".join(lines) or result.stderr,
        hint="read the unit's log with journalctl -u {0}".format(unit),
    )


def journal(client, unit, lines=20):
    """Return the last lines of a unit's log."""
    argv = ["journalctl", "--no-pager", "--output=cat", "--lines=" + str(lines), "--unit=" + unit]
    return client.run(argv, check=False).stdout.splitlines()
