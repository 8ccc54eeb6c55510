# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module that does what its host's variables tell it to, and leaves a line in a journal each time."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: act
short_description: Succeed, fail or wait on demand
"""

ARGUMENTS = {
    "journal": {"type": "path", "required": True},
    "stage": {"required": True},
    "host": {"required": True},
    "failures": {"type": "int", "default": 0},
    "retriable": {"type": "bool", "default": False},
    "wait_for": {"type": "path"},
    "crash": {"type": "bool", "default": False},
    "secret": {"no_log": True},
    "leak": {"type": "bool", "default": False},
    "observe": {"type": "bool", "default": False},
    "expect_secret": {"type": "bool", "default": False},
    "quote": {},
    "stubborn": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    given = module.params
    name = "{stage} {host}".format(**given)
    with Path(given["journal"]).open("a+", encoding="utf-8") as journal:
        journal.seek(0)
        earlier = journal.read().splitlines().count(name)
        journal.write(name + "\n")
    if given["stubborn"]:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    while given["wait_for"] and not Path(given["wait_for"]).exists():
        time.sleep(0.02)
    if given["crash"]:
        raise RuntimeError("the module crashed")
    if given["expect_secret"] and not given["secret"]:
        module.fail_json(msg="the secret did not arrive")
    if earlier < given["failures"]:
        module.fail_json(
            msg="it did not work on {host}".format(**given) + (given["quote"] or ""),
            code="command-failed",
            hint="try again",
            tail=["first line", "last line"],
            retriable=given["retriable"],
            stdout="planted output " + (given["secret"] or "") if given["leak"] else "",
        )
    difference = {"path": "file /etc/" + given["stage"], "before": "absent", "after": "present", "other": "x"}
    extra = {"observation": {"schema": 1, "facts": {"host": given["host"]}}} if given["observe"] else {}
    module.exit_json(changed=True, differences=[difference], stdout="planted output", **extra)


if __name__ == "__main__":
    main()
