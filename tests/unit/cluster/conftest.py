# SPDX-License-Identifier: GPL-3.0-or-later
"""A valid cluster.yaml of twelve lines that tests change, and what is said about the result."""

from collections.abc import Callable

import pytest

from kubexms.cluster import Cluster, parse
from kubexms.errors import ValidationFailed

BASE = """\
apiVersion: kubexms.io/v1alpha1
kind: Cluster
metadata:
  name: demo
spec:
  hosts:
    - {name: node1, address: 10.0.0.1}
    - {name: node2, address: 10.0.0.2}
    - {name: node3, address: 10.0.0.3}
  roleGroups:
    control-plane: [node1]
    worker: ["node[2:3]"]
"""

Change = tuple[str, str] | str
"""What to replace by what in BASE, or lines to append, of which the first is line 13."""


def changed(change: Change) -> str:
    if isinstance(change, str):
        return BASE + change
    assert BASE.count(change[0]) == 1, f"{change[0]} does not stand once in the base"
    return BASE.replace(*change)


def said(text: str) -> list[str]:
    try:
        found, prefix = parse(text).warnings, "warning "
    except ValidationFailed as error:
        found, prefix = error.problems, ""
    return [prefix + str(problem).removeprefix("cluster.yaml:") for problem in found]


@pytest.fixture
def base() -> str:
    return BASE


@pytest.fixture
def said_of() -> Callable[[Change], list[str]]:
    """What is said about the changed base: ``line:column path: what; allowed``, warnings marked."""
    return lambda change: said(changed(change))


@pytest.fixture
def cluster_of() -> Callable[[Change], Cluster]:
    return lambda change: parse(changed(change)).cluster
