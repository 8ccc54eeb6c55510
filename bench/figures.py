# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures with their budgets, and how they are shown: a table for people, JSON for machines."""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``limit`` is the most it may be; None where it is for information only."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return ``ok`` or ``over``; empty where there is no limit."""
        if self.limit is None:
            return ""
        return "ok" if self.value <= self.limit else "over"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as aligned text."""
    rows = [("figure", "value", "limit", "", "note")]
    rows += [
        (
            figure.name,
            f"{figure.value:.2f} {figure.unit}" if figure.unit else f"{figure.value:.0f}",
            "" if figure.limit is None else f"{figure.limit:g} {figure.unit}",
            figure.verdict,
            figure.note,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def machine() -> dict[str, object]:
    """Return what one must know of this machine to read the figures."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": os.cpu_count(),
        "memory_bytes": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def write(path: Path, about: dict[str, object], figures: Sequence[Figure]) -> None:
    """Write the figures as JSON."""
    document = {
        "schema": 1,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": about,
        "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
