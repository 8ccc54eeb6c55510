# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of the package: who may import whom, and which library lives behind which door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kubexms"

COMMON = {"errors", "context", "settings"}
"""Modules that every room may import; they import only each other."""

BELOW: dict[str, set[str]] = {
    "cluster": set(),
    "plan": {"cluster"},
    "inventory": {"plan", "cluster"},
    "artifacts": {"plan", "cluster"},
    "runner": {"artifacts", "plan", "cluster"},
    "store": {"plan", "cluster"},
    "service": {"inventory", "artifacts", "runner", "store", "observe", "plan", "cluster"},
    "lab": set(),
    "observe": set(),
    "cli": {"service", "artifacts", "lab", "observe", "plan", "cluster"},
}
"""The rooms a room may import, itself and the common modules aside. Nothing else is allowed."""

ONLY_IN: dict[str, str] = {
    "ansible": "runner",
    "ansible_runner": "runner",
    "sqlalchemy": "store",
    "structlog": "observe",
    "typer": "cli",
    "rich": "cli",
}
"""Libraries that one room hides from the others."""

PURE = {"cluster", "plan", "inventory"}
IO_MODULES = {"subprocess", "socket", "http", "urllib", "sqlite3", "multiprocessing", "shutil"}
"""Rooms without input and output, and the standard modules that would bring it in."""


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of every import; ``from a import b`` yields ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def violations(room: str, source: str) -> list[str]:
    """Return what a file of ``room`` imports against the rules, one ``line: reason`` each."""
    found = []
    for line, name in imports(ast.parse(source)):
        library, _, rest = name.partition(".")
        if library == "kubexms":
            target = rest.partition(".")[0]
            allowed = BELOW.get(room, set()) | COMMON | {room, "__version__"}
            if target not in allowed:
                found.append(f"{line}: {room} may not import kubexms.{target}")
        elif ONLY_IN.get(library, room) != room:
            found.append(f"{line}: {library} may be imported in {ONLY_IN[library]} only")
        elif room in PURE and library in IO_MODULES:
            found.append(f"{line}: {room} is pure and may not import {library}")
    return found


def room_of(path: Path) -> str:
    """Return the room that a file of the package belongs to: its folder or, at the top, its own name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_go_one_way() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    found = [
        f"{path}:{line}" for path in files for line in violations(room_of(path), path.read_text("utf-8"))
    ]
    assert found == []


def test_every_room_has_its_rule() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms <= BELOW.keys()


@pytest.mark.parametrize(
    ("room", "source", "reason"),
    [
        ("plan", "import kubexms.store.tables", "1: plan may not import kubexms.store"),
        ("store", "from kubexms.runner import job", "1: store may not import kubexms.runner"),
        ("store", "from kubexms import runner", "1: store may not import kubexms.runner"),
        ("lab", "from kubexms.cluster import load", "1: lab may not import kubexms.cluster"),
        ("errors", "import kubexms.plan", "1: errors may not import kubexms.plan"),
        ("service", "def f():\n    import sqlalchemy.orm", "2: sqlalchemy may be imported in store only"),
        ("cluster", "import subprocess", "1: cluster is pure and may not import subprocess"),
    ],
)
def test_a_wrong_import_is_found(room: str, source: str, reason: str) -> None:
    assert violations(room, source) == [reason]


def modules_of(*arguments: str) -> set[str]:
    """Return the names of all modules that ``kubexms ARGUMENTS`` imports, as -X importtime lists them."""
    code = "import sys; from kubexms.cli.main import main; sys.argv[0] = 'kubexms'; main()"
    argv = [sys.executable, "-X", "importtime", "-c", code, *arguments]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_help_imports_nothing_heavy() -> None:
    heavy = {"sqlalchemy", "ansible_runner", "pydantic", "pydantic_settings", "ansible"}
    modules = modules_of("--help")
    assert "kubexms.cli.main" in modules
    assert {name for name in modules if name.partition(".")[0] in heavy} == set()
