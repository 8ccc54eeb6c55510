# SPDX-License-Identifier: GPL-3.0-or-later
"""Print one pytest closing line over several JUnit reports: closing_line.py FOLDER SECONDS.

``make test`` runs pytest more than once; the last line of its output then counts all of them.
"""

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

OUTCOMES = ("failed", "passed", "skipped", "errors")


def counts(report: Path) -> Counter[str]:
    """Return how many tests of one JUnit report ended in which outcome."""
    total: Counter[str] = Counter()
    for suite in ET.parse(report).iter("testsuite"):  # noqa: S314 - written by our own pytest
        number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
        total["failed"] += number["failures"]
        total["errors"] += number["errors"]
        total["skipped"] += number["skipped"]
        total["passed"] += number["tests"] - number["failures"] - number["errors"] - number["skipped"]
    return total


def closing_line(total: Counter[str], seconds: int) -> str:
    """Return the line in pytest's words, for example ``== 1 failed, 9 passed in 75s (0:01:15) ==``."""
    parts = [f"{total[outcome]} {outcome}" for outcome in OUTCOMES if total[outcome]]
    minutes, rest = divmod(seconds, 60)
    text = f" {', '.join(parts)} in {seconds}s ({minutes // 60}:{minutes % 60:02d}:{rest:02d}) "
    return text.center(80, "=")


def main() -> None:
    """Read the folder's reports; print nothing where pytest did not run."""
    folder, seconds = Path(sys.argv[1]), int(sys.argv[2])
    reports = sorted(folder.glob("*.xml"))
    if reports:
        print(closing_line(sum((counts(report) for report in reports), Counter()), seconds))


if __name__ == "__main__":
    main()
