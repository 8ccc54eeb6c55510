# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs, and how it is shown."""

from __future__ import annotations

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils._differences import Differences


@pytest.fixture
def differences():
    return Differences()


def test_none_is_false_and_prints_nothing(differences):
    assert not differences
    assert differences.as_diff() == {"before": "", "after": ""}


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [(False, True, ("false", "true")), (None, 1, ("", "1")), ("1", 1, None), (True, "true", None)],
)
def test_compare_as_text(differences, before, after, shown):
    assert differences.compare("thing", before, after) is (shown is not None)
    assert [(item["before"], item["after"]) for item in differences] == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("sha256:" + "a" * 64, "sha256:" + "a" * 64, []),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 63 + "b", [("sha256:" + "a" * 12, "sha256:" + "a" * 12)]),
        ("", "sha256:" + "a" * 64, [("", "sha256:" + "a" * 12)]),
    ],
)
def test_digests_are_compared_whole_and_shown_short(differences, before, after, shown):
    assert differences.compare_digest("thing", before, after) is bool(shown)
    assert [(item["before"], item["after"]) for item in differences] == shown


def test_names_and_prefixes(differences):
    differences.add("sysctl a.bc", "0", "1")
    assert differences.has("sysctl a.bc")
    assert not differences.has("sysctl a.b")
    assert differences.touches("sysctl ")
    assert not differences.touches("package ")


def test_secrets_are_shown_without_values(differences):
    differences.add_secret("token")
    assert differences.as_diff() == {"before": "token: (hidden)\n", "after": "token: (hidden, changed)\n"}


def test_texts_are_shown_in_the_diff_alone(differences):
    differences.add("/etc/a", "", "sha256:1")
    differences.add_text("/etc/a", None, "one\ntwo\n")
    assert differences.as_diff() == {"before": "/etc/a: \n", "after": "/etc/a:\n    one\n    two\n"}
    assert list(differences) == [{"path": "/etc/a", "before": "", "after": "sha256:1"}]
