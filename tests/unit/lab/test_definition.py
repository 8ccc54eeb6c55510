# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses

import pytest
import yaml

from kubexms import cluster
from kubexms.lab.definition import cluster_document, cluster_text
from kubexms.lab.model import Lab, make_hosts


@pytest.mark.parametrize(("hosts", "control_planes"), [(1, 1), (2, 1), (3, 3), (5, 3)])
def test_what_the_lab_writes_is_a_valid_cluster_file(lab: Lab, hosts: int, control_planes: int) -> None:
    lab = dataclasses.replace(lab, hosts=make_hosts(lab.subnet, hosts, control_planes))
    lab.cluster_file.write_text(cluster_text(lab))
    loaded = cluster.load(lab.cluster_file)
    assert loaded.warnings == ()
    spec = loaded.cluster.spec
    assert [(host.name, host.address) for host in spec.hosts] == [(h.name, h.address) for h in lab.hosts]
    assert len(spec.role_groups.control_plane) == control_planes
    assert len(spec.role_groups.worker) == hosts - control_planes
    assert spec.control_plane_endpoint.address == lab.hosts[0].address


def test_the_text_says_that_it_is_overwritten_and_is_the_document(lab: Lab) -> None:
    text = cluster_text(lab)
    assert text.startswith("# Written by")
    assert yaml.safe_load(text) == cluster_document(lab)


def test_hosts_are_reached_with_the_key_and_the_pinned_host_keys_of_the_lab(lab: Lab) -> None:
    ssh = cluster_document(lab)["spec"]["ssh"]
    assert ssh["privateKeyFile"] == str(lab.private_key)
    assert ssh["knownHostsFile"] == str(lab.known_hosts)


def test_the_machine_s_own_swap_is_left_alone(lab: Lab) -> None:
    assert cluster_document(lab)["spec"]["system"] == {"swap": "unmanaged"}
