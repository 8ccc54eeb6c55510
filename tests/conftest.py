# SPDX-License-Identifier: GPL-3.0-or-later
"""For all tests: coverage reaches supervisors, whose environment is made of few named variables."""

import os

import pytest

from kubexms.runner import playbook

COVERAGE = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(autouse=True, scope="session")
def _measured_supervisors() -> None:
    """Let supervisors inherit what ``coverage run`` tells subprocesses; nothing where it does not run."""
    if COVERAGE in os.environ:
        playbook._INHERITED = (*playbook._INHERITED, COVERAGE)  # type: ignore[assignment]
