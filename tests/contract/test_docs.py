# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation names exists: files, make targets, settings; and every error code is explained."""

import re
from collections.abc import Iterator
from pathlib import Path

from kubexms.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PLUGINS = ROOT / "collections" / "ansible_collections" / "kubexms" / "cluster" / "plugins"


def found(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield page and match of a pattern over all pages."""
    for page in PAGES:
        for match in re.findall(pattern, page.read_text(encoding="utf-8")):
            yield page.name, match


def test_links_lead_to_files() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(page, name) for page, name in found(r"(?m)(?:`|^ +|KEEP=1 )make ([a-z0-9-]+)")}
    assert named, "the pages name no target"
    assert {(page, name) for page, name in named if name not in targets} == set()


def test_every_setting_is_explained_and_no_other_is_named() -> None:
    settings = {f"KUBEXMS_{name.upper()}" for name in Settings.model_fields}
    named = {name for _, name in found(r"\bKUBEXMS_[A-Z_]+")}
    assert named - {"KUBEXMS_TEST_KEEP"} == settings


def test_every_error_code_is_explained() -> None:
    explained = {name for _, name in found(r"`([a-z]+(?:-[a-z]+)*)`")}
    sources = [*(ROOT / "kubexms").rglob("*.py"), *PLUGINS.rglob("*.py")]
    codes = {
        code for path in sources for code in re.findall(r'\bcode ?= ?"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert "foreign-cluster" in codes
    assert codes - explained == set()
