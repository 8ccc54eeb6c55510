# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection by plain ansible-playbook, with the inventory that kubexms renders."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.harness import ROOT, Lab, kubexms

PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")


def play(inventory: Path) -> dict[str, int]:
    """Run the site playbook; return the numbers of its recap, summed over hosts."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    argv = [PLAYBOOK, "-i", str(inventory), "kubexms.cluster.site"]
    done = subprocess.run(
        argv, check=False, capture_output=True, text=True, timeout=600, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    totals: dict[str, int] = {}
    for name, value in re.findall(r"(\w+)=(\d+)", done.stdout.partition("PLAY RECAP")[2]):
        totals[name] = totals.get(name, 0) + int(value)
    return totals


def test_the_site_playbook_makes_a_cluster_and_then_changes_nothing(one_host: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(kubexms("inventory", "render", str(one_host.file)).stdout)
    first = play(inventory)
    assert first["changed"] > 0
    assert one_host.ready_nodes() == {"node1"}
    second = play(inventory)
    assert second["changed"] == second["failed"] == second["unreachable"] == 0
