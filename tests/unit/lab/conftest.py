# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of programs in the place of this machine's, and a lab of plain data."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.errors import CommandFailed
from kubexms.lab.command import Report, Result
from kubexms.lab.model import Lab, make_hosts

DATA = Path(__file__).parent / "data"


@dataclass
class Table:
    """Answers by a part of the command line; several to one part in turn, the last for ever.

    What is not in the table succeeds and prints nothing. ``calls`` has every command line.
    """

    answers: dict[str, list[Result]] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def answer(self, part: str, stdout: str = "", *, status: int = 0, stderr: str = "") -> None:
        self.answers.setdefault(part, []).append(Result(status, stdout, stderr))

    def capture(self, ctx: Context, argv: Sequence[str]) -> Result:
        ctx.check()
        self.calls.append(list(argv))
        line = " ".join(argv)
        for part, results in self.answers.items():
            if part in line:
                return results.pop(0) if len(results) > 1 else results[0]
        return Result(0, "", "")

    def follow(self, ctx: Context, argv: Sequence[str], report: Report) -> None:
        result = self.capture(ctx, argv)
        for line in result.stdout.splitlines():
            report(line)
        if result.status:
            raise CommandFailed(argv, result.status, result.stdout.splitlines())

    def verbs(self) -> list[str]:
        """Return the calls without program options: ``podman rm``, ``ip link``."""
        return [" ".join(word for word in call if not word.startswith("-")) for call in self.calls]


@pytest.fixture
def ctx() -> Context:
    return Context()


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Lab ``dev``: node1 for the control plane, node2 and node3 as workers, in 10.77.0.0/24."""
    subnet = ipaddress.IPv4Network("10.77.0.0/24")
    directory = tmp_path / "labs" / "dev"
    directory.mkdir(parents=True)
    return Lab("dev", directory, subnet, "4g", make_hosts(subnet, 3, 1))


@pytest.fixture
def recorded(lab: Lab, table: Table) -> Table:
    """The table of a machine with lab ``dev``: node1 has exited, node2 runs, node3 was never made."""
    for part, file in (
        ("ps --all", "podman-4.3.1-ps.json"),
        ("network inspect", "podman-4.3.1-network-inspect.json"),
    ):
        text = (DATA / file).read_text().replace("/var/lib/kubexms/labs/dev", str(lab.directory))
        table.answer(part, text)
    table.answer("network ls", "kubexms-lab-dev\npodman\n")
    table.answer("ip -json", "[]")
    return table
