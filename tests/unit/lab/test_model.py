# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses
import ipaddress

import pytest

from kubexms.errors import NotFound, Refused
from kubexms.lab.model import MAX_HOSTS, Lab, check_name, load, make_hosts, save

SUBNET = ipaddress.IPv4Network("10.77.3.0/24")


def test_hosts_are_numbered_and_the_first_ones_are_control_planes() -> None:
    hosts = make_hosts(SUBNET, 3, 2)
    assert [(host.name, host.address, host.control_plane) for host in hosts] == [
        ("node1", "10.77.3.11", True),
        ("node2", "10.77.3.12", True),
        ("node3", "10.77.3.13", False),
    ]


def test_the_largest_lab_fits_its_subnet() -> None:
    assert make_hosts(SUBNET, MAX_HOSTS, 1)[-1].address == "10.77.3.110"


@pytest.mark.parametrize(("count", "control_planes"), [(0, 1), (1, 0), (1, 2), (MAX_HOSTS + 1, 1)])
def test_impossible_numbers_of_hosts_are_refused(count: int, control_planes: int) -> None:
    with pytest.raises(Refused, match=f"{count} hosts with {control_planes}"):
        make_hosts(SUBNET, count, control_planes)


@pytest.mark.parametrize("name", ["dev", "a", "0", "a-b", "x" * 30])
def test_names_that_fit_everywhere(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "a/b", "..", "a\n", "x" * 31])
def test_names_that_do_not_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_name(name)


def test_a_lab_is_loaded_as_it_was_saved(lab: Lab) -> None:
    save(lab)
    assert load(lab.directory.parent, "dev") == lab


def test_a_lab_that_was_never_made_is_not_found(lab: Lab) -> None:
    with pytest.raises(NotFound, match="no lab other"):
        load(lab.directory.parent, "other")


def test_the_names_of_what_a_lab_makes(lab: Lab) -> None:
    host = lab.host("node2")
    assert lab.network == "kubexms-lab-dev"
    assert lab.container(host) == "kubexms-lab-dev-node2"
    assert lab.cgroup(host) == "kubexms-lab/dev/node2"
    files = {lab.private_key, lab.known_hosts, lab.cluster_file}
    assert {file.parent for file in files} == {lab.directory}
    assert len(files) == 3


def test_an_unknown_host_is_not_found(lab: Lab) -> None:
    with pytest.raises(NotFound) as caught:
        lab.host("node4")
    assert caught.value.hint == "its hosts are node1, node2, node3"


def test_labs_of_similar_names_share_no_container(lab: Lab) -> None:
    other = dataclasses.replace(lab, name="dev-node1")
    assert not {lab.container(host) for host in lab.hosts} & {other.container(host) for host in other.hosts}
