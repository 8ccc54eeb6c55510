# SPDX-License-Identifier: GPL-3.0-or-later
"""Host ranges."""

import pytest

from kubexms.cluster.ranges import MAX_HOSTS, expand, length


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("node1", ("node1",)),
        ("node[1:3]", ("node1", "node2", "node3")),
        ("node[7:7]", ("node7",)),
        ("node[08:11]", ("node08", "node09", "node10", "node11")),
        ("node[099:101]", ("node099", "node100", "node101")),
        ("node[0:1]", ("node0", "node1")),
        ("node[1:2].example.com", ("node1.example.com", "node2.example.com")),
    ],
)
def test_a_pattern_stands_for_names(pattern: str, names: tuple[str, ...]) -> None:
    assert expand(pattern) == names
    assert length(pattern) == len(names)


def test_the_longest_range_is_as_long_as_a_cluster() -> None:
    assert length(f"n[1:{MAX_HOSTS}]") == MAX_HOSTS
    with pytest.raises(ValueError, match="more than 5000"):
        length(f"n[0:{MAX_HOSTS}]")


@pytest.mark.parametrize(
    "pattern", ["n[1]", "n[1:]", "n[:2]", "n[a:b]", "n[1:2", "n1:2]", "n[1:2][1:2]", "n[2:1]"]
)
def test_a_malformed_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="range"):
        expand(pattern)
