# SPDX-License-Identifier: GPL-3.0-or-later
"""What every file of the repository keeps: a licence line, and a size that can be read in one go."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"
SUFFIXES = {".py", ".sh", ".yml", ".yaml", ".toml", ".cfg", ".ini", ".j2", ".c", ".go"}
NAMES = {"Makefile", ".yamllint", ".ansible-lint"}
RECORDED = {"data", "recorded", "testdata"}
"""Folders of recorded output and other test data: neither rule is meant for them."""


def repository_files() -> list[Path]:
    """Return the files that git has or would add, sorted, relative to the root."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(Path(name) for name in set(listing.split("\0")) if name and (ROOT / name).is_file())


def is_source(path: Path) -> bool:
    """Say whether a file is ours to read: code, configuration or a script, not data."""
    if RECORDED & set(path.parts):
        return False
    if path.suffix in SUFFIXES or path.name in NAMES:
        return True
    return not path.suffix and (ROOT / path).read_bytes()[:2] == b"#!"


SOURCES = [path for path in repository_files() if is_source(path)]


def lines_of(path: Path) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def test_the_listing_sees_the_repository() -> None:
    known = {
        "Makefile",
        "pyproject.toml",
        "kubexms/errors.py",
        "scripts/lint",
        "tests/contract/test_files.py",
    }
    assert {Path(name) for name in known} <= set(SOURCES)


def test_every_source_file_names_its_licence_at_its_top() -> None:
    missing = [path for path in SOURCES if not any(LICENCE in line for line in lines_of(path)[:5])]
    assert [str(path) for path in missing if lines_of(path)] == []


def test_no_source_file_is_longer_than_500_lines() -> None:
    lengths = {str(path): len(lines_of(path)) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 500} == {}
