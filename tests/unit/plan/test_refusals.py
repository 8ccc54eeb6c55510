# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that must be refused before a host is touched."""

from dataclasses import replace

import pytest

from kubexms.errors import (
    ConnectionFailed,
    IdentityMismatch,
    ImmutableChanged,
    KubexmsError,
    NotSupported,
    Refused,
)
from kubexms.plan.observation import Look, Unreachable
from kubexms.plan.refusals import Identity, refuse
from tests.unit.plan.looks import IDENTITY, VERSION, fresh, joined


def refused(*looks: Look, identity: Identity = IDENTITY, version: str = VERSION) -> KubexmsError:
    with pytest.raises(KubexmsError) as caught:
        refuse(identity, version, {look.host: look for look in looks})
    return caught.value


def test_hosts_as_recorded_are_accepted() -> None:
    identity = replace(IDENTITY, machine_ids={"cp-1": "machine-cp-1"})
    refuse(identity, VERSION, {"cp-1": joined("cp-1", leader=True), "w-1": fresh("w-1")})


def test_all_silent() -> None:
    error = refused(Unreachable("a", "unreachable", "timed out"), Unreachable("b", "unreachable", "no route"))
    assert type(error) is ConnectionFailed
    assert "a: timed out" in error.message


def test_two_names_of_one_machine() -> None:
    error = refused(fresh("a"), replace(fresh("b"), machine_id="machine-a"))
    assert type(error) is IdentityMismatch
    assert "a and b are one machine" in error.message


def test_another_machine_than_recorded() -> None:
    identity = replace(IDENTITY, machine_ids={"a": "machine-old"})
    error = refused(fresh("a"), identity=identity)
    assert type(error) is IdentityMismatch
    assert "--accept-host a" in error.hint
    refuse(replace(identity, accepted=frozenset({"a"})), VERSION, {"a": fresh("a")})


@pytest.mark.parametrize(
    ("cluster", "text"),
    [
        ({"name": "other", "id": "id-1"}, "belongs to cluster 'other'"),
        ({"name": "demo", "id": "id-2"}, "another cluster named 'demo'"),
    ],
)
def test_a_host_of_another_cluster(cluster: dict[str, str], text: str) -> None:
    error = refused(joined("a", cluster=cluster))
    assert type(error) is IdentityMismatch
    assert text in error.message


def test_a_host_of_a_cluster_that_is_not_ours() -> None:
    assert "that kubexms did not make" in refused(fresh("a", foreign=True)).message


def test_a_setting_that_cannot_change() -> None:
    identity = replace(IDENTITY, fixed={"spec.network.podCIDR": "10.99.0.0/16"})
    error = refused(joined("a"), identity=identity)
    assert type(error) is ImmutableChanged
    assert "spec.network.podCIDR is 10.244.0.0/16, the file says 10.99.0.0/16" in error.message
    refuse(identity, VERSION, {"a": fresh("a", cluster={"name": "demo", "id": "id-1"})})


@pytest.mark.parametrize(
    ("running", "asked", "kind", "text"),
    [
        ("v1.36.3", "v1.35.4", Refused, "going down"),
        ("v1.36.3", "v1.36.2", Refused, "going down"),
        ("v1.34.1", "v1.36.3", Refused, "skip a minor version"),
        ("v1.35.4", "v1.36.3", NotSupported, "not supported yet"),
    ],
)
def test_version_moves(running: str, asked: str, kind: type[KubexmsError], text: str) -> None:
    error = refused(joined("a", version=running), version=asked)
    assert type(error) is kind
    assert text in error.message
