# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksum lists as dl.k8s.io, GitHub releases and sha256sum(1) write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubexms.artifacts.sources import sums
from tests.unit.artifacts.helpers import digest

A, B = digest(b"a"), digest(b"b")


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n",
        A,
        f"{A}  tool.tgz\n",
        f"{A} *tool.tgz\n",
        f"{B}  other\n{A}  tool.tgz\n",
        f"{A}  ./out/tool.tgz\n{B}  other\n",
        f"{A.upper()}  tool.tgz\n",
        f"# comment\n\n{A}  tool.tgz\nnot a line",
    ],
)
def test_a_file_is_found(text: str) -> None:
    assert sums.find(text, "tool.tgz") == A


@pytest.mark.parametrize("text", ["", "tool.tgz", f"{B}  other.tgz", f"{A[:-1]}  tool.tgz", "<html>"])
def test_a_file_that_is_not_listed_has_no_digest(text: str) -> None:
    assert sums.find(text, "tool.tgz") is None


def test_the_folder_does_not_matter_to_find_but_to_parse() -> None:
    assert sums.parse(f"{A}  x/y\n{B}  ./z\n") == {"x/y": A, "z": B}


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9./-]{0,20}", fullmatch=True), st.binary(max_size=4)))
def test_what_sha256sum_writes_is_read_back(files: dict[str, bytes]) -> None:
    text = "".join(f"{digest(content)}  {name}\n" for name, content in files.items())
    assert sums.parse(text) == {name: digest(content) for name, content in files.items()}
